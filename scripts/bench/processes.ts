import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { Seed } from "./seed.ts";

const ROOT = join(import.meta.dir, "../..");
const EXECUTABLE = join(ROOT, "dist/sallyport");

/** The core of the servers and that of the load. */
const SERVER_CORE = "0";
export const LOAD_CORE = "1";

export interface Running {
  pid: number;
  port: number;
  /** The line that it printed when it was ready. */
  ready: Record<string, unknown>;
  stop(): Promise<void>;
}

export const usesExecutable = existsSync(EXECUTABLE) && process.env.BENCH_FROM_SOURCE === undefined;

/** No limit may end a run; what is measured is the work, not the refusal of it. */
const ROOMY = {
  SALLYPORT_LIMIT_ACCOUNT: "100000000/1s",
  SALLYPORT_LIMIT_ACCOUNT_TOTAL: "100000000/1s",
  SALLYPORT_LIMIT_NETWORK: "100000000/1s",
  SALLYPORT_LIMIT_SIGN_UP: "100000000/1s",
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
  /** `all`: the row's work goes off-thread, so that the server may use every core. */
  cores?: "one" | "all";
  /** What stands before the command: a tracer. */
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

async function start(command: string[], options: Options, port: number | undefined): Promise<Running> {
  const pin = options.cores === "all" ? [] : ["taskset", "-c", SERVER_CORE];
  const child = Bun.spawn([...pin, ...(options.wrap ?? []), ...command], {
    env: { PATH: process.env.PATH ?? "", NODE_ENV: "production", ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const ready = await firstLine(child);
  // A tracer that is ended lets go of what it traced: the signal is for the server itself.
  const pid = options.wrap ? childOf(child.pid) : child.pid;
  return {
    pid,
    port: port ?? Number(ready.port),
    ready,
    stop: async () => {
      process.kill(pid, "SIGTERM");
      const late = setTimeout(() => process.kill(pid, "SIGKILL"), 5_000);
      await child.exited;
      clearTimeout(late);
    },
  };
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

/** A pipe that nobody reads fills up and stops who writes into it. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

function childOf(pid: number): number {
  const { stdout } = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", String(pid)]);
  return Number(stdout.toString().trim().split("\n")[0]) || pid;
}

/** A port that was free a moment ago: the issuer of the seeded tokens must name it before the server runs. */
export function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  server.stop(true);
  if (port === undefined) throw new Error("there is no free port");
  return port;
}
