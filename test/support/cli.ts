import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");
/** Runs from the checkout, for `test/cli`. */
export const SOURCE: readonly string[] = [process.execPath, "run", join(ROOT, "src/main.ts")];
/** The compiled file, for `test/binary`. */
export const EXECUTABLE: readonly string[] = [join(ROOT, "dist/sallyport")];

/** Milliseconds; far more than any command takes on a busy machine. */
const PATIENCE = 60_000;

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Calling {
  /** The program; {@link SOURCE} by default. */
  program?: readonly string[];
  /** Added to an environment without any Sallyport variable. */
  env?: Record<string, string>;
  cwd?: string;
}

/** Child processes of this test file, for {@link tidy}. */
const running = new Set<Bun.Subprocess>();

/** Runs a command to its end. */
export async function sallyport(args: readonly string[], calling: Calling = {}): Promise<Ran> {
  const child = spawn(args, calling);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

function spawn(args: readonly string[], { program = SOURCE, env = {}, cwd = tmpdir() }: Calling) {
  if (program === EXECUTABLE && !existsSync(program[0] ?? ""))
    throw new Error("dist/sallyport is missing: npm run build");
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("SALLYPORT_"));
  const child = Bun.spawn([...program, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  running.add(child);
  child.exited.then(() => running.delete(child));
  return child;
}

/** A server that runs as a child process. */
export interface Running {
  url: string;
  pid: number;
  /** The readiness line, parsed. */
  ready: Record<string, unknown>;
  /** Returns everything that it has printed so far. */
  output(): string;
  /**
   * Sends the signal and waits for the end.
   * @returns the exit code; -1 if the signal itself ended the process
   */
  stop(signal?: NodeJS.Signals): Promise<number>;
  exited: Promise<number>;
}

/**
 * Starts `serve` or `dev --json` and waits for the readiness line.
 * @throws Error with the whole output
 */
export async function start(args: readonly string[], calling: Calling = {}): Promise<Running> {
  const child = spawn(args, calling);
  let output = "";
  const ready = Promise.withResolvers<Record<string, unknown>>();
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    let open = "";
    for await (const chunk of stream) {
      const text = decoder.decode(chunk, { stream: true });
      output += text;
      const lines = (open + text).split("\n");
      open = lines.pop() ?? "";
      for (const line of lines) {
        const parsed = parseLine(line);
        if (typeof parsed?.url === "string") ready.resolve(parsed);
      }
    }
  };
  const streams = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const exited = child.exited.then((code) => (child.signalCode === null ? code : -1));
  const ended = exited.then(async (code) => {
    await streams;
    throw new Error(`${args.join(" ")} ended with ${code} before it was ready:\n${output}`);
  });
  const late = Bun.sleep(PATIENCE).then(() => {
    throw new Error(`${args.join(" ")} was not ready in time:\n${output}`);
  });
  try {
    const line = await Promise.race([ready.promise, ended, late]);
    return {
      url: String(line.url),
      pid: child.pid,
      ready: line,
      output: () => output,
      exited,
      stop: async (signal = "SIGTERM") => {
        child.kill(signal);
        const code = await exited;
        await streams;
        return code;
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    ended.catch(() => undefined);
    late.catch(() => undefined);
  }
}

function parseLine(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const directories: string[] = [];

/** Makes an empty directory, which {@link tidy} removes. */
export function scratch(base: string = tmpdir()): string {
  const directory = mkdtempSync(join(base, "sallyport-cli-"));
  directories.push(directory);
  return directory;
}

/** For `afterAll`: ends every child of this file that still runs, and removes its directories. */
export async function tidy(): Promise<void> {
  const left = [...running];
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(left.map((child) => child.exited));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

/** A data directory that `init` has prepared, with its first values. */
export interface Prepared {
  directory: string;
  data: string;
  keyFile: string;
  /** SALLYPORT_DATA and SALLYPORT_MASTER_KEY_FILE. */
  env: Record<string, string>;
  tenantId: string;
  defaultApplicationId: string;
  applicationId: string;
  secretKey: string;
}

/**
 * Runs `init` in a new directory.
 * @param base the parent of that directory
 */
export async function prepare(calling: Calling = {}, base?: string): Promise<Prepared> {
  const directory = scratch(base);
  const data = join(directory, "data");
  const keyFile = join(directory, "master.key");
  const { code, stdout, stderr } = await sallyport(
    ["init", "--data", data, "--new-master-key", keyFile, "--json"],
    calling,
  );
  if (code !== 0) throw new Error(`init ended with ${code}: ${stderr}`);
  const made = JSON.parse(stdout) as Record<string, string>;
  return {
    directory,
    data,
    keyFile,
    env: { SALLYPORT_DATA: data, SALLYPORT_MASTER_KEY_FILE: keyFile },
    tenantId: made.tenant_id ?? "",
    defaultApplicationId: made.default_application_id ?? "",
    applicationId: made.application_id ?? "",
    secretKey: made.secret_key ?? "",
  };
}
