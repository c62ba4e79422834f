/**
 * The floor: the smallest program that does the same necessary work on the same schema. No validation, no gate, no error
 * envelope, and no headers except the content type. The table in `performance.md` lists the work that it must not skip.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { verify as verifyArgon2 } from "@node-rs/argon2";
import { parseSecret } from "../../../src/crypto/secrets.ts";
import type { Seed } from "../seed.ts";
import { type ApplicationRow, groupCommit, openDatabase } from "./database.ts";
import { factorFloor } from "./factors.ts";
import { machineFloor } from "./machines.ts";
import { accessTokens, minting } from "./tokens.ts";
import { trpcFloor } from "./trpc.ts";
import { managed, userOf, whoAmI } from "./wire.ts";

const seed = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Seed;
const database = openDatabase(seed.floorDatabase);
const write = groupCommit(database.writer);
const keys = database.signingKeys.all();
const verified = accessTokens(seed.publicUrl, keys);
const mint = minting(seed.publicUrl);
const applications = new Map<string, ApplicationRow>();
const jwks = JSON.stringify({
  keys: keys.filter((key) => key.algorithm === "RS256").map((key) => JSON.parse(key.public_jwk)),
});
const JSON_HEADERS = { headers: { "content-type": "application/json" } };
const answer = (value: unknown) => new Response(JSON.stringify(value), JSON_HEADERS);
const refused = () => new Response("{}", { status: 401, headers: JSON_HEADERS.headers });

function applicationOf(id: string): ApplicationRow | null {
  const known = applications.get(id);
  if (known) return known;
  const row = database.application.get(id);
  if (row) applications.set(id, row);
  return row;
}

function session(request: Request) {
  const token = verified(request.headers.get("authorization"));
  const row = token && database.session.get(token.sid);
  const application = token && applicationOf(token.azp);
  if (!row || !application || row.ended_at !== null || row.disabled_at !== null) return null;
  return whoAmI(row, application);
}

async function refresh(request: Request, algorithm: "ed" | "rsa") {
  const { refresh_token } = (await request.json()) as { refresh_token: string };
  const claims = mint.readRefresh(refresh_token);
  const row = claims && database.session.get(claims.sid);
  if (!claims || !row || row.ended_at !== null || row.refresh_expires_at < Date.now()) return refused();
  const now = Math.floor(Date.now() / 1_000) * 1_000;
  const expiresAt = Math.min(now + 30 * 86_400_000, row.expires_at);
  const advanced = await write(() =>
    database.advance.get(claims.gen + 1, now, expiresAt, now, now, claims.sid, claims.gen),
  );
  if (!advanced) return refused();
  const access = algorithm === "ed" ? mint.ed(row) : await mint.rsa(row);
  const refreshToken = mint.refresh(claims.sid, claims.gen + 1, now, expiresAt);
  const cookie = (name: string, value: string) => `${name}=${value}; Path=/; Max-Age=900; HttpOnly; SameSite=Lax`;
  const body = {
    status: "success",
    access_token: access,
    token_type: "Bearer",
    expires_in: 900,
    refresh_token: refreshToken,
    user: userOf(row),
  };
  const response = answer(body);
  response.headers.append("set-cookie", cookie("sallyport_at", access));
  response.headers.append("set-cookie", cookie("sallyport_rt", refreshToken));
  return response;
}

/** Does only the hash, on as many threads as there are cores. */
let running = 0;
const waiting: (() => void)[] = [];
async function login(request: Request) {
  await request.json();
  if (running >= availableParallelism()) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  const right = await verifyArgon2(seed.hash.phc, seed.hash.input);
  running--;
  waiting.shift()?.();
  return right ? answer({ status: "success" }) : refused();
}

function users(request: Request) {
  const secret = request.headers.get("authorization")?.slice(7) ?? "";
  const id = keyIdOf(secret);
  const key = id && database.apiKey.get(id);
  if (!key || key.revoked_at !== null) return refused();
  if (!timingSafeEqual(hash("sha256", secret, "buffer"), key.secret_digest)) return refused();
  const limit = Number(request.url.slice(request.url.lastIndexOf("=") + 1));
  const rows = database.users.all(key.tenant_id, limit + 1);
  const data = rows.slice(0, limit).map(managed);
  return answer({ data, next_cursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null });
}

/** The id is base62 inside the secret. A map keeps the cost of this decoding off the floor, because the format causes it. */
const keyIds = new Map<string, string>();
function keyIdOf(secret: string): string | undefined {
  const head = secret.slice(0, 31);
  const known = keyIds.get(head);
  if (known !== undefined) return known;
  const id = parseSecret("sk", secret)?.keyId;
  if (id !== undefined) keyIds.set(head, id);
  return id;
}

const machines = machineFloor(database.reader, seed, {
  mint,
  applicationOf,
  audit: (clientId) =>
    write(() =>
      database.audit.run(
        seed.tenantId,
        Date.now(),
        clientId,
        clientId,
        clientId,
        "127.0.0.1",
        null,
        crypto.randomUUID(),
      ),
    ),
  answer,
  refused,
});

const factors = factorFloor(database, seed, { mint, write, answer, refused });

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  routes: {
    "/v1/auth/session": (request) => {
      const found = session(request);
      return found ? answer(found) : refused();
    },
    "/v1/auth/refresh": (request) => refresh(request, "ed"),
    "/v1/auth/refresh-rs256": (request) => refresh(request, "rsa"),
    "/v1/auth/login": login,
    "/v1/auth/passkey/login/begin": factors.passkeyBegin,
    "/v1/auth/passkey/login/complete": factors.passkeyComplete,
    "/v1/auth/mfa/verify": factors.verifyTotp,
    "/v1/users": users,
    "/oauth2/token": machines.token,
    "/v1/signed": (request) => machines.signed(request.headers.get("authorization") ?? ""),
    "/.well-known/jwks.json": new Response(jwks, JSON_HEADERS),
    "/trpc/*": trpcFloor(session),
  },
  fetch: () => new Response("not found", { status: 404 }),
});

const chains = (algorithm: "EdDSA" | "RS256") =>
  seed.refresh[algorithm].map(({ sid }) => {
    const row = database.session.get(sid);
    if (!row) throw new Error(`the session ${sid} does not exist`);
    return mint.refresh(sid, row.generation, row.refresh_issued_at, row.refresh_expires_at);
  });
console.log(JSON.stringify({ port: server.port, refresh: { EdDSA: chains("EdDSA"), RS256: chains("RS256") } }));
