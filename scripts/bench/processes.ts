import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { Seed } from "./seed.ts";

const ROOT = join(import.meta.dir, "../..");
const EXECUTABLE = join(ROOT, "dist/sallyport");

/** Milliseconds that a server may take to be ready, traced and on a busy machine, and to stop. */
const START_PATIENCE = 30_000;
const STOP_PATIENCE = 5_000;

/** The running servers. An interrupted benchmark ends them. */
const started = new Set<number>();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.on("exit", () => {
  for (const pid of [...started].flatMap((parent) => [childOf(parent), parent])) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // The process ended by itself.
    }
  }
});

/** The core of the servers, and the core of the load generator. */
const SERVER_CORE = "0";
export const LOAD_CORE = "1";

export interface Running {
  pid: number;
  port: number;
  /** The line that the server printed when it was ready. */
  ready: Record<string, unknown>;
  stop(): Promise<void>;
}

export const usesExecutable = existsSync(EXECUTABLE) && process.env.BENCH_FROM_SOURCE === undefined;

/** Limits that no run reaches, because the benchmark measures the work and not its refusal. */
const ROOMY = {
  SALLYPORT_LIMIT_ACCOUNT: "100000000/1s",
  SALLYPORT_LIMIT_ACCOUNT_TOTAL: "100000000/1s",
  SALLYPORT_LIMIT_NETWORK: "100000000/1s",
  SALLYPORT_LIMIT_SIGN_UP: "100000000/1s",
  SALLYPORT_LIMIT_CLIENT: "100000000/1s",
  SALLYPORT_LIMIT_SESSION_WRITES: "100000000/1s",
};

export function oursCommand(): string[] {
  return usesExecutable ? [EXECUTABLE] : [process.execPath, "run", join(ROOT, "src/main.ts")];
}

export function oursEnvironment(seed: Pick<Seed, "port" | "publicUrl" | "masterKeyFile">): Record<string, string> {
  return {
    ...ROOMY,
    SALLYPORT_PORT: String(seed.port),
    SALLYPORT_PUBLIC_URL: seed.publicUrl,
    SALLYPORT_MASTER_KEY_FILE: seed.masterKeyFile,
  };
}

interface Options {
  /** `all`: the row's work goes off-thread, so the server may use every core. */
  cores?: "one" | "all";
  /** A command before the server's command, such as a tracer. */
  wrap?: string[];
  env?: Record<string, string>;
}

export function startOurs(seed: Seed, options: Options = {}): Promise<Running> {
  const command = [...oursCommand(), "serve", "--data", seed.dataDirectory];
  return start(command, { ...options, env: { ...oursEnvironment(seed), ...options.env } }, seed.port);
}

export function startFloor(seedFile: string, options: Options = {}): Promise<Running> {
  return start([process.execPath, "run", join(import.meta.dir, "floors/server.ts"), seedFile], options, undefined);
}

/** Starts the floor on PostgreSQL. */
export function startPostgresFloor(seedFile: string, url: string, options: Options = {}): Promise<Running> {
  const file = join(import.meta.dir, "floors/postgres.ts");
  return start([process.execPath, "run", file, seedFile, url], options, undefined);
}

/** Starts the peer on every core, like our server beside it. */
export function startPeer(args: readonly string[]): Promise<Running> {
  const command = [process.execPath, "run", join(import.meta.dir, "peers/better-auth.ts"), ...args];
  return start(command, { cores: "all" }, undefined);
}

async function start(command: string[], options: Options, port: number | undefined): Promise<Running> {
  const pin = options.cores === "all" ? [] : ["taskset", "-c", SERVER_CORE];
  const child = Bun.spawn([...pin, ...(options.wrap ?? []), ...command], {
    env: { PATH: process.env.PATH ?? "", NODE_ENV: "production", ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const group = options.wrap ? child.pid : 0;
  started.add(child.pid);
  const stop = () => stopTree(child, group);
  let ready: Record<string, unknown>;
  try {
    ready = await within(START_PATIENCE, firstLine(child), "the server was not ready");
  } catch (error) {
    await stop();
    throw error;
  }
  // When a tracer ends, it releases the traced process. So the signal goes to the server itself.
  const pid = group === 0 ? child.pid : childOf(child.pid);
  return { pid, port: port ?? Number(ready.port), ready, stop };
}

/**
 * Stops a server, by force if it ignores the request, so that nothing started here runs on. Stops a tracer with its child.
 */
async function stopTree(child: Subprocess<"ignore", "pipe", "inherit">, tracer: number): Promise<void> {
  const pids = tracer === 0 ? [child.pid] : [childOf(tracer), tracer];
  const signal = (name: NodeJS.Signals, targets: number[]) => {
    for (const pid of targets) {
      try {
        process.kill(pid, name);
      } catch {
        // The process ended by itself.
      }
    }
  };
  signal("SIGTERM", pids.slice(0, 1));
  const ended = await Promise.race([child.exited.then(() => true), Bun.sleep(STOP_PATIENCE).then(() => false)]);
  if (!ended) signal("SIGKILL", pids);
  await Promise.race([child.exited, Bun.sleep(STOP_PATIENCE)]);
  started.delete(child.pid);
}

async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function firstLine(child: Subprocess<"ignore", "pipe", "inherit">): Promise<Record<string, unknown>> {
  let text = "";
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the server ended before it was ready: ${text}`);
    text += decoder.decode(value);
    const end = text.indexOf("\n");
    if (end !== -1) {
      void drain(reader);
      return JSON.parse(text.slice(0, end)) as Record<string, unknown>;
    }
  }
}

/** Reads a pipe to its end. An unread pipe fills up and blocks its writer. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

function childOf(pid: number): number {
  const { stdout } = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", String(pid)]);
  return Number(stdout.toString().trim().split("\n")[0]) || pid;
}

/** Returns a port that was just free: the issuer of the seeded tokens must contain it before the server runs. */
export function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  server.stop(true);
  if (port === undefined) throw new Error("there is no free port");
  return port;
}
