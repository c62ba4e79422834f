/**
 * The floor on PostgreSQL: the same driver and one prepared statement for a session check; two round trips for a refresh, whose
 * second one carries the whole transaction; the hash alone for a sign-in.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { verify as verifyArgon2 } from "@node-rs/argon2";
import { type ReservedSQL, SQL } from "bun";
import type { Seed } from "../seed.ts";
import { type ApplicationRow, BUNDLE, type Bundle, openDatabase } from "./database.ts";
import { accessTokens, minting } from "./tokens.ts";
import { userOf, whoAmI } from "./wire.ts";

const [seedFile = "", url = ""] = process.argv.slice(2);
const seed = JSON.parse(readFileSync(seedFile, "utf8")) as Seed;
const CONNECTIONS = 10;
const pool = new SQL({ url, max: CONNECTIONS, bigint: true });
const keys = openDatabase(seed.floorDatabase).signingKeys.all();
const verified = accessTokens(seed.publicUrl, keys);
const mint = minting(seed.publicUrl);
const applications = new Map<string, ApplicationRow>();
for (const row of await pool<ApplicationRow[]>`SELECT * FROM applications`) applications.set(row.id, row);

const JSON_HEADERS = { headers: { "content-type": "application/json" } };
const answer = (value: unknown) => new Response(JSON.stringify(value), JSON_HEADERS);
const refused = () => new Response("{}", { status: 401, headers: JSON_HEADERS.headers });

const bundle = BUNDLE.replaceAll("+?", "$1");
const advance = `UPDATE sessions SET generation = $1, refresh_issued_at = $2, refresh_expires_at = $3, rotated_at = $2,
  last_seen_at = $2 WHERE id = $4 AND generation = $5 AND ended_at IS NULL
  AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND disabled_at IS NULL AND deleted_at IS NULL)
  RETURNING generation`;

async function sessionOf(sid: string): Promise<Bundle | undefined> {
  const [row] = await pool.unsafe<Record<string, unknown>[]>(bundle, [sid]);
  for (const name in row) if (typeof row[name] === "bigint") row[name] = Number(row[name]);
  return row as unknown as Bundle | undefined;
}

async function session(request: Request) {
  const token = verified(request.headers.get("authorization"));
  const row = token && (await sessionOf(token.sid));
  const application = token && applications.get(token.azp);
  if (!row || !application || row.ended_at !== null || row.disabled_at !== null) return refused();
  return answer(whoAmI(row, application));
}

/** Reserves connections once, because the pool's own queue is not a part of the necessary work. */
const free: ReservedSQL[] = await Promise.all(Array.from({ length: CONNECTIONS - 4 }, () => pool.reserve()));
const waiting: ((connection: ReservedSQL) => void)[] = [];
const take = () => {
  const connection = free.pop();
  return connection ? Promise.resolve(connection) : new Promise<ReservedSQL>((resolve) => waiting.push(resolve));
};
const giveBack = (connection: ReservedSQL) => {
  const next = waiting.shift();
  if (next) next(connection);
  else free.push(connection);
};

async function refresh(request: Request) {
  const { refresh_token } = (await request.json()) as { refresh_token: string };
  const claims = mint.readRefresh(refresh_token);
  const row = claims && (await sessionOf(claims.sid));
  if (!claims || !row || row.ended_at !== null || row.refresh_expires_at < Date.now()) return refused();
  const now = Math.floor(Date.now() / 1_000) * 1_000;
  const expiresAt = Math.min(now + 30 * 86_400_000, row.expires_at);
  const connection = await take();
  const [, advanced] = await Promise.all([
    connection`BEGIN`,
    connection.unsafe(advance, [claims.gen + 1, now, expiresAt, claims.sid, claims.gen]),
    connection`COMMIT`,
  ]).finally(() => giveBack(connection));
  if (advanced.length === 0) return refused();
  const access = mint.ed(row);
  const refreshToken = mint.refresh(claims.sid, claims.gen + 1, now, expiresAt);
  const cookie = (name: string, value: string) => `${name}=${value}; Path=/; Max-Age=900; HttpOnly; SameSite=Lax`;
  const tokens = { access_token: access, token_type: "Bearer", expires_in: 900, refresh_token: refreshToken };
  const response = answer({ status: "success", ...tokens, user: userOf(row) });
  response.headers.append("set-cookie", cookie("sallyport_at", access));
  response.headers.append("set-cookie", cookie("sallyport_rt", refreshToken));
  return response;
}

let running = 0;
const queue: (() => void)[] = [];
async function login(request: Request) {
  await request.json();
  if (running >= availableParallelism()) await new Promise<void>((resolve) => queue.push(resolve));
  running++;
  const right = await verifyArgon2(seed.hash.phc, seed.hash.input);
  running--;
  queue.shift()?.();
  return right ? answer({ status: "success" }) : refused();
}

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  routes: { "/v1/auth/session": session, "/v1/auth/refresh": refresh, "/v1/auth/login": login },
  fetch: () => new Response("not found", { status: 404 }),
});

const chains: string[] = [];
for (const { sid } of seed.refresh.EdDSA) {
  const row = await sessionOf(sid);
  if (!row) throw new Error(`the session ${sid} does not exist`);
  chains.push(mint.refresh(sid, row.generation, row.refresh_issued_at, row.refresh_expires_at));
}
console.log(JSON.stringify({ port: server.port, refresh: { EdDSA: chains, RS256: [] } }));
