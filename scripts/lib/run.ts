import { resolve } from "node:path";

/** The repository's root, without a slash at the end. */
export const ROOT: string = resolve(import.meta.dir, "../..");

export interface Ran {
  /** The exit code; -1 when a signal ended the program. */
  code: number;
  /** The printed text: standard output, then standard error. */
  output: string;
}

/** Runs a program in the root without standard input, and captures its output. */
export async function capture(command: readonly string[]): Promise<Ran> {
  const child = Bun.spawn([...command], { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code: child.signalCode === null ? code : -1, output: out + err };
}

/**
 * Runs a program in the root that prints to this terminal.
 * @param env is added to this process's environment, because a change of `process.env` would not reach the program
 * @returns its exit code; -1 when a signal ended it
 */
export async function passThrough(command: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const child = Bun.spawn([...command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  });
  const code = await child.exited;
  return child.signalCode === null ? code : -1;
}

/** The Bun that runs this script, and never another Bun from PATH. */
export const BUN: string = process.execPath;
