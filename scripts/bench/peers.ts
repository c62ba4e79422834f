import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "./http-rows.ts";
import { type Running, startOurs, startPeer } from "./processes.ts";
import { get, post } from "./requests.ts";
import { type Row, rate, spreadOf, textOfRatio } from "./result.ts";
import { PASSWORD } from "./seed.ts";

const PEER = "better-auth@1.7";
/** Milliseconds that npm may take. */
const PATIENCE = 120_000;
const USERS = 64;

/** Returns the directory with the peer, installed at its first use, or a sentence that says why it is missing. */
async function installed(): Promise<{ directory: string } | { missing: string }> {
  const directory = join(process.env.XDG_CACHE_HOME ?? tmpdir(), "sallyport-bench-peers", PEER.replace("@", "-"));
  if (existsSync(join(directory, "installed"))) return { directory };
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), '{"private":true,"type":"module"}\n');
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--loglevel=error"];
  const child = Bun.spawn(["npm", "install", ...flags, PEER], {
    cwd: directory,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: PATIENCE,
  });
  const told = (await new Response(child.stderr).text()).trim().split("\n").at(-1);
  if ((await child.exited) !== 0) {
    return { missing: `${PEER} cannot be installed here, so its rows are missing: ${told || "npm took too long"}` };
  }
  writeFileSync(join(directory, "installed"), "");
  return { directory };
}

/** Sends the same two requests to our server and to better-auth. @returns rows, or the reason why there are none */
export async function peerRows(bench: Bench, workDirectory: string): Promise<Row[] | string> {
  const place = await installed();
  if ("missing" in place) return place.missing;
  const file = join(workDirectory, "better-auth.db");
  const rows: Row[] = [];
  const ours = await startOurs(bench.seed, { cores: "all" });
  try {
    const theirs = await startPeer([place.directory, file, String(USERS), PASSWORD]);
    try {
      rows.push(await sessionRow(bench, ours, theirs), await signInRow(bench, ours, theirs));
    } finally {
      await theirs.stop();
    }
  } finally {
    await ours.stop();
  }
  return rows;
}

function sessionRow(bench: Bench, ours: Running, theirs: Running): Promise<Row> {
  const cookies = theirs.ready.cookies as string[];
  const host = `localhost:${bench.seed.port}`;
  const mine = bench.seed.tokens.slice(0, USERS).map((token) => get(host, "/v1/auth/session", token));
  const other = cookies.map((cookie) =>
    get("localhost", "/api/auth/get-session").replace(/\r\n\r\n$/, `\r\ncookie: ${cookie}\r\n\r\n`),
  );
  return compare(bench, "better-auth: session check", 1, [ours, mine], [theirs, other]);
}

/** The hash takes nearly all of the time, and it is the same for both. */
function signInRow(bench: Bench, ours: Running, theirs: Running): Promise<Row> {
  const host = `localhost:${bench.seed.port}`;
  const mine = bench.seed.logins.map((email) => post(host, "/v1/auth/login", { email, password: PASSWORD }));
  const other = bench.seed.logins.map((email) =>
    post("localhost", "/api/auth/sign-in/email", { email, password: PASSWORD }),
  );
  return compare(bench, "better-auth: sign-in, argon2id", 0.95, [ours, mine], [theirs, other]);
}

async function compare(
  bench: Bench,
  work: string,
  atLeast: number,
  mine: [Running, string[]],
  other: [Running, string[]],
): Promise<Row> {
  const { loader, pairs } = bench;
  // Sixteen hashes run at once, and a shorter run could end before the first of them.
  const ms = Math.max(bench.ms, 2_000);
  for (const [name, [running, requests]] of [["ours", mine] as const, ["peer", other] as const]) {
    await loader.define(name, { requests, port: running.port, pid: running.pid });
  }
  const run = (name: string) => loader.run(name, { connections: 16, ms, warmMs: Math.min(400, ms / 3) });
  const perSecond = { ours: [] as number[], peer: [] as number[] };
  for (let pair = 0; pair < pairs; pair++) {
    for (const name of pair % 2 === 0 ? (["ours", "peer"] as const) : (["peer", "ours"] as const)) {
      perSecond[name].push((await run(name)).perSecond);
    }
  }
  const factor = spreadOf(perSecond.ours.map((value, index) => value / (perSecond.peer[index] ?? value)));
  return {
    work,
    ours: rate(spreadOf(perSecond.ours).median),
    floor: rate(spreadOf(perSecond.peer).median),
    ratio: textOfRatio(factor),
    atLeast: atLeast.toFixed(2),
    holds: factor.median >= atLeast,
    note: `ours answers ${factor.median.toFixed(2)} times as many as better-auth`,
  };
}
