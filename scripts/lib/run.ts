import { resolve } from "node:path";

/** The repository's root, with no slash at the end. */
export const ROOT: string = resolve(import.meta.dir, "../..");

export interface Ran {
  /** Exit code; -1 when a signal ended it. */
  code: number;
  /** What it printed, standard output before standard error. */
  output: string;
}

/** Runs a program in the root without standard input and keeps what it prints. */
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
 * @param env is added to this process's environment. (A change of `process.env` would not reach the program.)
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

/** The Bun that runs this script: never a global one that happens to stand in PATH. */
export const BUN: string = process.execPath;
