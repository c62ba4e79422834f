import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Excludes the developer's own instance, and provides `bun` and `node` under the names in the README. */
export function environment(more: Record<string, string> = {}): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("SALLYPORT_"));
  const path = [join(ROOT, "node_modules/.bin"), dirname(process.execPath), process.env.PATH].join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path, PYTHONDONTWRITEBYTECODE: "1", ...more };
}

/** @returns standard output @throws Error with the output of the command */
export async function succeed(command: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  const options = { cwd, env: environment(env), stdin: "ignore", stdout: "pipe", stderr: "pipe" } as const;
  const child = Bun.spawn(command, options);
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed:\n${stdout}\n${stderr}`);
  return stdout;
}

/** Runs a part of a README as a user would paste it. */
export function paste(script: string, cwd: string, env: Record<string, string> = {}): Promise<string> {
  return succeed(["bash", "-eu", "-o", "pipefail", "-c", script], cwd, env);
}
