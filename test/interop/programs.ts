import { linesOf } from "./commands.ts";

/** The output of a program. */
export interface Report {
  /** `ok <check>` and `not ok <check>: <why>`, in order. */
  checks: string[];
  /** The libraries and their versions. */
  versions: string;
  /** The result for each algorithm, from the line `algorithm <name> verified` or `… unsupported: <why>`. */
  algorithms: ReadonlyMap<string, string>;
  /** Exit code and standard error, for a program that did not end by a check. */
  exitCode: number;
  errors: string;
}

/** Ends a program that hangs after this many milliseconds. It then lacks checks. */
const PATIENCE = 120_000;

/**
 * Runs the programs side by side. When each of them waits at its line `rotate`, or has ended, calls `rotate` once and tells the
 * waiting ones: a library must find exactly one new key.
 */
export async function runTogether(
  commands: ReadonlyMap<string, string[]>,
  env: Record<string, string | undefined>,
  rotate: () => Promise<unknown>,
): Promise<Map<string, Report>> {
  const running = [...commands].map(([name, command]) => ({ name, ...start(command, env) }));
  await Promise.all(running.map(({ waiting }) => waiting));
  try {
    await rotate();
    for (const { send } of running) send("rotated\n");
  } finally {
    // They end by themselves when their input ends.
    for (const { hangUp } of running) hangUp();
  }
  const reports = await Promise.all(running.map(async ({ name, report }) => [name, await report] as const));
  return new Map(reports);
}

function start(command: string[], env: Record<string, string | undefined>) {
  const child = Bun.spawn(command, { env, stdin: "pipe", stdout: "pipe", stderr: "pipe", timeout: PATIENCE });
  const { promise: waiting, resolve: nowWaiting } = Promise.withResolvers<void>();
  const read = async (): Promise<Report> => {
    const errors = new Response(child.stderr).text();
    const checks: string[] = [];
    const algorithms = new Map<string, string>();
    let versions = "";
    for await (const line of linesOf(child.stdout)) {
      const [, name, outcome] = /^algorithm (\S+) (.+)/.exec(line) ?? [];
      if (line === "rotate") nowWaiting();
      else if (line.startsWith("library ")) versions = line.slice("library ".length);
      else if (name !== undefined && outcome !== undefined) algorithms.set(name, outcome);
      else checks.push(line);
    }
    nowWaiting();
    return { checks, versions, algorithms, exitCode: await child.exited, errors: await errors };
  };
  return {
    waiting,
    report: read(),
    send: (line: string) => void child.stdin.write(line),
    hangUp: () => void child.stdin.end(),
  };
}
