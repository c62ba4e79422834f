import type { Bench } from "./http-rows.ts";
import { startOurs } from "./processes.ts";
import { get, postHead } from "./requests.ts";
import { type Row, rate, type Spread, spreadOf, textOfRatio } from "./result.ts";

const WATCH = [
  "strace",
  "-f",
  "-qqq",
  "--seccomp-bpf",
  "-e",
  "trace=fdatasync,fsync",
  "-e",
  "signal=none",
  "-o",
  "/dev/null",
];
const DELAY = ["-e", "inject=fdatasync,fsync:delay_enter=5000"];
const CONNECTIONS = 16;
/** Milliseconds by which the reads' p99 may differ, as two runs of the same program do. */
const TOLERANCE = 2;

/** Shows that reads do not wait when every flush takes 5 ms more. Both sides are traced, and only the delay differs. */
export async function delayedFlushRow(bench: Bench): Promise<Row | null> {
  if (Bun.which("strace") === null) return null;
  const without = await measure(bench, WATCH, 256);
  const delayed = await measure(bench, [...WATCH, ...DELAY], 256 + CONNECTIONS);
  return {
    work: "reads' p99 while every flush takes 5 ms more",
    ours: `${delayed.p99.median.toFixed(1)} ms`,
    floor: `${without.p99.median.toFixed(1)} ms`,
    ratio: textOfRatio({
      median: without.p99.median / delayed.p99.median,
      min: without.p99.min / delayed.p99.max,
      max: without.p99.max / delayed.p99.min,
    }),
    atLeast: "unharmed",
    holds: delayed.p99.median <= without.p99.median + TOLERANCE,
    note: `the floor is the same server without the delay; refreshes meanwhile ${rate(delayed.perSecond)} against ${rate(without.perSecond)}`,
  };
}

/** @param from the index of the first session to refresh, because each server needs its own sessions */
async function measure(bench: Bench, wrap: string[], from: number): Promise<{ p99: Spread; perSecond: number }> {
  const { seed, loader } = bench;
  const host = `localhost:${seed.port}`;
  const ours = await startOurs(seed, { wrap });
  try {
    const tokens = seed.refresh.EdDSA.slice(from, from + CONNECTIONS).map(({ token }) => token);
    await loader.define("traced", {
      port: ours.port,
      pid: ours.pid,
      requests: [],
      chain: { head: postHead(host, "/v1/auth/refresh"), tokens },
      probe: { request: get(host, "/v1/auth/session", seed.tokens[0]), everyMs: 2 },
    });
    const results = [];
    for (let i = 0; i < bench.pairs; i++) {
      results.push(await loader.run("traced", { connections: CONNECTIONS, ms: bench.ms, warmMs: 300 }));
    }
    return {
      p99: spreadOf(results.map((result) => result.probeP99 ?? 0)),
      perSecond: spreadOf(results.map((result) => result.perSecond)).median,
    };
  } finally {
    await ours.stop();
  }
}
