import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./http-rows.ts";
import { freePort, oursCommand, oursEnvironment, startOurs, usesExecutable } from "./processes.ts";
import { get } from "./requests.ts";
import { type Row, spreadOf } from "./result.ts";

const AT_MOST_LATER = 60;
const AT_MOST_LARGER = 60;
/** MB by which the process may grow in the second half of the requests, as its garbage collector makes the size vary. */
const AT_MOST_GROWN = 8;
const STEPS = 10;

const buildFlags = ["--compile", "--production", "--splitting", "--bytecode", "--format=esm"];

/** Compiles the hello server to an executable of the same kind. */
async function compileHello(directory: string): Promise<string> {
  const file = join(directory, "hello");
  const source = join(import.meta.dir, "floors/hello.ts");
  const child = Bun.spawn([process.execPath, "build", ...buildFlags, `--outfile=${file}`, source], {
    cwd: directory,
    stdout: "ignore",
    stderr: "pipe",
  });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
  return file;
}

export async function processRows(bench: Bench, directory: string, requests: number): Promise<Row[]> {
  const hello = await compileHello(directory);
  return [await startRow(bench, hello), ...(await memoryRows(bench, hello, requests))];
}

interface Started {
  pid: number;
  ms: number;
  stop(): Promise<void>;
}

/** Measures from the start of the process to its first 200, with a request each millisecond. */
async function start(command: string[], env: Record<string, string>, port: number, path: string): Promise<Started> {
  const begun = performance.now();
  const child = Bun.spawn(["taskset", "-c", "0", ...command], {
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  for (;;) {
    const status = await fetch(`http://127.0.0.1:${port}${path}`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) break;
    if (performance.now() - begun > 10_000) throw new Error(`${command[0]} does not answer`);
    await Bun.sleep(1);
  }
  const ms = performance.now() - begun;
  return {
    pid: child.pid,
    ms,
    stop: async () => {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

function startOursPlain({ seed }: Bench): Promise<Started> {
  const command = [...oursCommand(), "serve", "--data", seed.dataDirectory];
  return start(command, { PATH: process.env.PATH ?? "", ...oursEnvironment(seed) }, seed.port, "/healthz");
}

function startHello(hello: string): Promise<Started> {
  const port = freePort();
  return start([hello], { PORT: String(port) }, port, "/");
}

async function startRow(bench: Bench, hello: string): Promise<Row> {
  const ours: number[] = [];
  const floor: number[] = [];
  for (let i = 0; i < Math.max(5, bench.pairs); i++) {
    const first = await startHello(hello);
    await first.stop();
    const second = await startOursPlain(bench);
    await second.stop();
    floor.push(first.ms);
    ours.push(second.ms);
  }
  const more = spreadOf(ours.map((ms, i) => ms - (floor[i] ?? 0)));
  return {
    work: `start to first 200${usesExecutable ? "" : " (from source!)"}`,
    ours: `${spreadOf(ours).median.toFixed(0)} ms`,
    floor: `${spreadOf(floor).median.toFixed(0)} ms`,
    ratio: `+${more.median.toFixed(0)} ms (${more.min.toFixed(0)}–${more.max.toFixed(0)})`,
    atLeast: `< ${AT_MOST_LATER} ms more`,
    holds: more.median < AT_MOST_LATER,
  };
}

async function memoryRows(bench: Bench, hello: string, requests: number): Promise<Row[]> {
  const floor = await startHello(hello);
  const own = await startOursPlain(bench);
  await Bun.sleep(1_000);
  const idle = { ours: residentMegabytes(own.pid), floor: residentMegabytes(floor.pid) };
  await Promise.all([floor.stop(), own.stop()]);
  const more = idle.ours - idle.floor;
  return [
    {
      work: "resident memory, idle",
      ours: `${idle.ours.toFixed(0)} MB`,
      floor: `${idle.floor.toFixed(0)} MB`,
      ratio: `+${more.toFixed(0)} MB`,
      atLeast: `< ${AT_MOST_LARGER} MB more`,
      holds: more < AT_MOST_LARGER,
    },
    await slopeRow(bench, requests),
  ];
}

/** Checks sessions with old and new tokens. The first half fills caches and compiles code, which is not a leak. */
async function slopeRow(bench: Bench, requests: number): Promise<Row> {
  const { seed, loader } = bench;
  const host = `localhost:${seed.port}`;
  const ours = await startOurs(seed);
  try {
    const tokens = [...seed.tokens, ...seed.freshTokens];
    const wire = tokens.map((token) => get(host, "/v1/auth/session", token));
    await loader.define("memory", { port: ours.port, pid: ours.pid, requests: wire });
    const sizes: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      await loader.run("memory", { connections: 32, ms: 0, warmMs: 0, count: requests / STEPS });
      sizes.push(residentMegabytes(ours.pid));
    }
    const half = sizes.slice(STEPS / 2);
    const grown = (half.at(-1) ?? 0) - (half[0] ?? 0);
    return {
      work: `resident memory over ${requests / 1_000}k requests`,
      ours: `${grown >= 0 ? "+" : ""}${grown.toFixed(1)} MB`,
      floor: "0",
      ratio: "second half",
      atLeast: "flat",
      holds: grown < AT_MOST_GROWN,
      note: `after each tenth: ${sizes.map((size) => size.toFixed(0)).join(" ")} MB`,
    };
  } finally {
    await ours.stop();
  }
}

function residentMegabytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]);
  return (pages * 4_096) / 1e6;
}
