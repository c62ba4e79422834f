import type { LoadResult, Target } from "./load.ts";
import type { Loader } from "./loader.ts";
import type { PostgresSeed } from "./postgres.ts";
import { type Running, startFloor, startOurs, startPostgresFloor } from "./processes.ts";
import { form, get, post, postHead } from "./requests.ts";
import { type Row, rate, spreadOf, textOfRatio } from "./result.ts";
import { PASSWORD, type Seed } from "./seed.ts";

export interface Bench {
  seed: Seed;
  seedFile: string;
  /** null where PostgreSQL is not installed, or no row needs it. */
  postgres: PostgresSeed | null;
  loader: Loader;
  pairs: number;
  /** Milliseconds of one run. */
  ms: number;
  /** Pieces of work in one run, for rows whose work can be done only once. */
  count: number;
}

interface HttpRow {
  name: string;
  work: string;
  atLeast: number;
  connections: number;
  /** Where both sides keep their data. Each row of PostgreSQL follows its row of SQLite. */
  database: "sqlite" | "postgres";
  /** `all` where hashing or RSA is off-thread work that uses every core. */
  cores: "one" | "all";
  /**
   * The measure of the ratio: CPU time per request where the loop's work is the limit (a busy machine or a slow load does
   * not change it), or answers per second where waiting is the limit (flushes, threads).
   */
  by: "cpu" | "rate";
  target(side: Side): Omit<Target, "port" | "pid">;
  /** A run has a number of pieces of work (`Bench.count`) instead of a duration. */
  isCounted?: true;
  /** The limit in ms for the other endpoints' p99 during the run. */
  probeBelow?: number;
}

interface Side {
  ours: boolean;
  seed: Seed;
  host: string;
  /** The message that the floor printed when it was ready. */
  ready: Record<string, unknown>;
}

function refreshChain(side: Side, algorithm: "EdDSA" | "RS256", path: string): Target["chain"] {
  const floor = side.ready.refresh as Record<typeof algorithm, string[]> | undefined;
  const tokens = side.ours ? side.seed.refresh[algorithm].map(({ token }) => token) : (floor?.[algorithm] ?? []);
  return { head: postHead(side.host, path), tokens: [...tokens] };
}

const sessionProbe = (side: Side) => ({ request: get(side.host, "/v1/auth/session", side.seed.tokens[0]), everyMs: 4 });

const sqliteRows: readonly Omit<HttpRow, "database">[] = [
  {
    name: "session",
    work: "GET /v1/auth/session, token seen before",
    atLeast: 0.7,
    connections: 32,
    cores: "one",
    by: "cpu",
    target: (side) => ({ requests: side.seed.tokens.map((token) => get(side.host, "/v1/auth/session", token)) }),
  },
  {
    name: "session-new",
    work: "the same, token not seen before",
    atLeast: 0.75,
    connections: 32,
    cores: "one",
    by: "cpu",
    target: (side) => ({ requests: side.seed.freshTokens.map((token) => get(side.host, "/v1/auth/session", token)) }),
  },
  {
    name: "refresh",
    work: "POST /v1/auth/refresh, EdDSA, durable",
    atLeast: 0.7,
    connections: 64,
    cores: "one",
    by: "rate",
    target: (side) => ({ requests: [], chain: refreshChain(side, "EdDSA", "/v1/auth/refresh") ?? noChain }),
  },
  {
    name: "refresh-rs256",
    work: "the same, RS256",
    atLeast: 0.8,
    connections: 32,
    cores: "all",
    by: "rate",
    target: (side) => ({
      requests: [],
      chain: refreshChain(side, "RS256", side.ours ? "/v1/auth/refresh" : "/v1/auth/refresh-rs256") ?? noChain,
      probe: sessionProbe(side),
    }),
  },
  {
    name: "login",
    work: "POST /v1/auth/login, argon2id 19 MiB t=2",
    atLeast: 0.95,
    connections: 32,
    cores: "all",
    by: "rate",
    target: (side) => ({
      // This application signs EdDSA, because an RSA signature is not part of the hash.
      requests: side.seed.logins.map((email) =>
        post(side.host, "/v1/auth/login", { email, password: PASSWORD }, side.seed.applicationId),
      ),
      probe: sessionProbe(side),
    }),
    probeBelow: 50,
  },
  {
    name: "passkey",
    work: "sign-in with a passkey (begin and complete), ES256, durable",
    atLeast: 0.7,
    connections: 64,
    cores: "one",
    by: "rate",
    target: ({ host, seed: { applicationId, factors } }) => ({
      requests: [],
      script: {
        kind: "passkey",
        host,
        application: applicationId,
        file: factors.passkeyFile,
        ...relyingParty(factors),
      },
    }),
  },
  {
    name: "totp",
    work: "POST /v1/auth/mfa/verify, TOTP, durable",
    atLeast: 0.7,
    connections: 64,
    cores: "one",
    by: "rate",
    isCounted: true,
    target: ({ host, seed: { applicationId, factors } }) => ({
      requests: [],
      script: { kind: "totp", host, application: applicationId, file: factors.totpFile },
    }),
  },
  {
    name: "secret-key",
    work: "secret-key check (GET /v1/users?limit=1)",
    atLeast: 0.7,
    connections: 32,
    cores: "one",
    by: "cpu",
    target: (side) => ({ requests: [get(side.host, "/v1/users?limit=1", side.seed.secretKey)] }),
  },
  {
    name: "client-token",
    work: "client-credentials token, durable",
    atLeast: 0.7,
    connections: 64,
    cores: "one",
    by: "rate",
    target: ({ host, seed: { machines } }) => ({
      requests: [
        form(host, "/oauth2/token", `${machines.clientId}:${machines.clientSecret}`, "grant_type=client_credentials"),
      ],
    }),
  },
  {
    name: "signed",
    work: "GET /v1/auth/session, customer-signed token",
    atLeast: 0.7,
    connections: 32,
    cores: "one",
    by: "cpu",
    target: ({ host, ours, seed: { machines } }) => ({
      requests: machines.customerTokens.map((token) => get(host, ours ? "/v1/auth/session" : "/v1/signed", token)),
    }),
  },
  {
    name: "jwks",
    work: "GET /.well-known/jwks.json",
    atLeast: 0.9,
    connections: 32,
    cores: "one",
    by: "cpu",
    target: (side) => ({ requests: [get(side.host, "/.well-known/jwks.json")] }),
  },
  {
    name: "trpc",
    work: "GET /trpc/auth.session against tRPC's stock handler",
    atLeast: 1,
    connections: 32,
    cores: "one",
    by: "cpu",
    target: (side) => ({ requests: side.seed.tokens.map((token) => get(side.host, "/trpc/auth.session", token)) }),
  },
];
/** The goals on PostgreSQL, by the names of the rows of SQLite. */
const ON_POSTGRES: Readonly<Record<string, number>> = { session: 0.75, "session-new": 0.75, refresh: 0.7, login: 0.9 };

export const httpRows: readonly HttpRow[] = sqliteRows.flatMap((row): HttpRow[] => {
  const goal = ON_POSTGRES[row.name];
  const own: HttpRow = { ...row, database: "sqlite" };
  if (goal === undefined) return [own];
  const work = `${row.work.replace("the same", "GET /v1/auth/session")}, on PostgreSQL`;
  return [own, { ...row, database: "postgres", name: `${row.name}-postgres`, work, atLeast: goal }];
});

const relyingParty = ({ rpId, origin }: Seed["factors"]) => ({ rpId, origin });
const noChain = { head: "", tokens: [] };

/**
 * Returns the pieces of work that a benchmark uses up: a warm-up run and one run per pair, with the open requests at the end
 * of each.
 * @returns 0 unless a row is counted
 */
export function countedWork(rows: readonly HttpRow[], pairs: number, count: number): number {
  const counted = rows.filter((row) => row.isCounted);
  return counted.reduce((sum, { connections }) => sum + (pairs + 1) * (count + 2 * connections), 0);
}

/** Runs ours and the floor side by side and loads them in turns. Each goes first equally often. */
export async function runHttpRows(bench: Bench, rows: readonly HttpRow[], print: (row: Row) => void): Promise<void> {
  const groups = (["one", "all"] as const).flatMap((cores) =>
    (["sqlite", "postgres"] as const).map((database) => ({ cores, database })),
  );
  for (const { cores, database } of groups) {
    const chosen = rows.filter((row) => row.cores === cores && row.database === database);
    if (chosen.length === 0) continue;
    const { postgres } = bench;
    const isPostgres = database === "postgres" && postgres !== null;
    const ours = await startOurs(
      bench.seed,
      isPostgres ? { cores, env: { SALLYPORT_DATABASE_URL: postgres.ours } } : { cores },
    );
    const floor = isPostgres
      ? await startPostgresFloor(bench.seedFile, postgres.floor, { cores })
      : await startFloor(bench.seedFile, { cores });
    try {
      for (const row of chosen) print(await runRow(bench, row, ours, floor));
    } finally {
      await Promise.all([ours.stop(), floor.stop()]);
    }
  }
}

async function runRow(bench: Bench, row: HttpRow, ours: Running, floor: Running): Promise<Row> {
  const { seed, loader } = bench;
  for (const [name, running] of [["ours", ours] as const, ["floor", floor] as const]) {
    const side = { ours: name === "ours", seed, host: `localhost:${running.port}`, ready: running.ready };
    await loader.define(name, { ...row.target(side), port: running.port, pid: running.pid });
  }
  const { connections } = row;
  const run = (name: string) =>
    row.isCounted
      ? loader.run(name, { connections, ms: 0, warmMs: 0, count: bench.count })
      : loader.run(name, { connections, ms: bench.ms, warmMs: Math.min(400, bench.ms / 3) });
  // The first run of each side warms up the compilers.
  await run("floor");
  await run("ours");
  const results: { ours: LoadResult; floor: LoadResult }[] = [];
  for (let i = 0; i < bench.pairs; i++) {
    if (i % 2 === 0) {
      const floorResult = await run("floor");
      results.push({ floor: floorResult, ours: await run("ours") });
    } else {
      const oursResult = await run("ours");
      results.push({ ours: oursResult, floor: await run("floor") });
    }
  }
  return summarize(row, results);
}

function summarize(row: HttpRow, results: { ours: LoadResult; floor: LoadResult }[]): Row {
  const of = (side: "ours" | "floor", key: "perSecond" | "cpuMicros" | "busy" | "p99" | "probeP99") =>
    spreadOf(results.map((pair) => pair[side][key] ?? 0)).median;
  const byRate = spreadOf(results.map((pair) => pair.ours.perSecond / pair.floor.perSecond));
  const byCpu = spreadOf(results.map((pair) => pair.floor.cpuMicros / pair.ours.cpuMicros));
  const { probeBelow } = row;
  const probeHolds = probeBelow === undefined || of("ours", "probeP99") < probeBelow;
  const both = (key: "perSecond" | "cpuMicros" | "busy", text: (value: number) => string) =>
    `${text(of("ours", key))} against ${text(of("floor", key))}`;
  const busy = `server busy ${both("busy", (value) => value.toFixed(2))}`;
  const other =
    row.by === "cpu"
      ? `${both("perSecond", rate)}, ratio ${textOfRatio(byRate)}; ${busy}`
      : `${both("cpuMicros", (value) => `${value.toFixed(1)} µs CPU`)}, ratio ${textOfRatio(byCpu)}; ${busy}`;
  const probe =
    results[0]?.ours.probeP99 == null
      ? ""
      : `; other endpoints' p99 ${of("ours", "probeP99").toFixed(1)} ms against ${of("floor", "probeP99").toFixed(1)} ms`;
  const judged = row.by === "cpu" ? byCpu : byRate;
  const figure = (side: "ours" | "floor") =>
    row.by === "cpu" ? `${of(side, "cpuMicros").toFixed(1)} µs CPU` : rate(of(side, "perSecond"));
  return {
    work: row.work,
    ours: figure("ours"),
    floor: figure("floor"),
    ratio: textOfRatio(judged),
    atLeast: row.atLeast.toFixed(2) + (probeBelow === undefined ? "" : `, p99 < ${probeBelow} ms`),
    holds: judged.median >= row.atLeast && probeHolds,
    note: other + probe,
  };
}
