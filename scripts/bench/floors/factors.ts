import type { Database } from "bun:sqlite";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  randomBytes,
  randomUUID,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { readFileSync } from "node:fs";
import { type TotpSeed, totpCode, totpSecret } from "../conversations.ts";
import type { FactorSeed } from "../factors.ts";
import type { Bundle } from "./database.ts";
import type { minting } from "./tokens.ts";
import { userOf } from "./wire.ts";

const DAY = 86_400_000;
const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest();

interface PasskeyRow {
  id: string;
  user_id: string;
  public_key: Uint8Array;
  counter: number;
}

/**
 * The floors of a sign-in with a passkey and of a second factor by TOTP: the same signatures, reads and durable writes,
 * including the counters of tries. It makes a single write wherever no counter has to be stored before the check.
 */
export function factorFloor(
  database: { reader: Database; writer: Database },
  seed: { tenantId: string; applicationId: string; publicUrl: string; factors: FactorSeed },
  host: {
    mint: ReturnType<typeof minting>;
    write: <T>(work: () => T) => Promise<T>;
    answer: (value: unknown) => Response;
    refused: () => Response;
  },
) {
  const { reader, writer } = database;
  const { rpId, origin, mfaKey } = seed.factors;
  const rpIdHash = sha256(rpId);
  const passkey = reader.prepare<PasskeyRow, [string, string]>(
    "SELECT * FROM passkeys WHERE tenant_id = +? AND credential_id = +?",
  );
  const insertFlow = writer.prepare<never, [string, string, string, string, number, number]>(
    `INSERT INTO flows (id, tenant_id, application_id, user_id, kind, step, state, attempts, created_at, expires_at)
      VALUES (+?, +?, +?, NULL, 'bench', 'challenge', +?, 0, +?, +?)`,
  );
  const flowState = reader.prepare<{ state: string }, [string, number]>(
    "SELECT state FROM flows WHERE id = +? AND consumed_at IS NULL AND expires_at > +?",
  );
  const consume = writer.prepare<{ user_id: string | null }, [number, string, number]>(
    `UPDATE flows SET consumed_at = +? WHERE id = +? AND consumed_at IS NULL AND expires_at > +?
      RETURNING user_id`,
  );
  const countUse = writer.prepare<never, [number, number, string]>(
    "UPDATE passkeys SET counter = +?, last_used_at = +? WHERE id = +?",
  );
  const factor = reader.prepare<{ user_id: string; sealed_secret: Uint8Array; last_step: number }, [string]>(
    "SELECT t.* FROM flows f JOIN totp_factors t ON t.user_id = f.user_id WHERE f.id = +?",
  );
  const spendStep = writer.prepare<{ user_id: string }, [number, number, string, number]>(
    "UPDATE totp_factors SET last_step = +?, last_used_at = +? WHERE user_id = +? AND last_step < +? RETURNING user_id",
  );
  const countTry = writer.prepare<{ user_id: string }, [string]>(
    "UPDATE flows SET attempts = attempts + 1 WHERE id = +? AND consumed_at IS NULL AND attempts < 5 RETURNING user_id",
  );
  const limits = durableLimits(writer);
  const begin = beginSession(writer, seed);

  async function passkeyBegin(): Promise<Response> {
    const id = randomUUID();
    const challenge = randomBytes(32).toString("base64url");
    const now = Date.now();
    const state = JSON.stringify({ challenge });
    await host.write(() => {
      limits.take("passkey", now);
      insertFlow.run(id, seed.tenantId, seed.applicationId, state, now, now + 300_000);
    });
    const public_key = { challenge, rpId, allowCredentials: [], timeout: 300_000, userVerification: "preferred" };
    return host.answer({ flow_id: id, public_key, expires_in: 300 });
  }

  async function passkeyComplete(request: Request): Promise<Response> {
    const { flow_id, response } = (await request.json()) as Completion;
    const now = Date.now();
    const flow = flowState.get(flow_id, now);
    const row = passkey.get(seed.tenantId, response.id);
    if (!flow || !row) return host.refused();
    const clientData = Buffer.from(response.response.clientDataJSON, "base64url");
    const client = JSON.parse(clientData.toString()) as { type: string; challenge: string; origin: string };
    const { challenge } = JSON.parse(flow.state) as { challenge: string };
    if (client.type !== "webauthn.get" || client.challenge !== challenge || client.origin !== origin)
      return host.refused();
    const data = Buffer.from(response.response.authenticatorData, "base64url");
    if (!data.subarray(0, 32).equals(rpIdHash) || (data.readUInt8(32) & 0x05) !== 0x05) return host.refused();
    const signed = Buffer.concat([data, sha256(clientData)]);
    const signature = Buffer.from(response.response.signature, "base64url");
    if (!verify("sha256", signed, es256(row.public_key), signature)) return host.refused();
    const session = await host.write(() => {
      limits.take("network", now);
      if (!consume.get(now, flow_id, now)) return null;
      countUse.run(data.readUInt32BE(33), now, row.id);
      return begin(row.user_id, "passkey", "aal2", '["hwk","user"]', now);
    });
    return session ? tokens(session) : host.refused();
  }

  const totp = JSON.parse(readFileSync(seed.factors.totpFile, "utf8")) as TotpSeed;
  const box = sealedAnew(reader, writer, totp);
  const mac = Buffer.from(mfaKey, "base64");

  async function verifyTotp(request: Request): Promise<Response> {
    const { mfa_token, code } = (await request.json()) as { mfa_token: string; code: string };
    const end = mfa_token.lastIndexOf(".");
    const expected = createHmac("sha256", mac).update(mfa_token.slice(0, end)).digest();
    const given = Buffer.from(mfa_token.slice(end + 1), "base64url");
    if (given.length !== 32 || !timingSafeEqual(expected, given)) return host.refused();
    const payload = Buffer.from(mfa_token.slice(mfa_token.indexOf(".") + 1, end), "base64url");
    const { jti, exp } = JSON.parse(payload.toString()) as { jti: string; exp: number };
    const now = Date.now();
    const row = factor.get(jti);
    if (!row || exp * 1_000 <= now) return host.refused();
    // A try is counted, durably, before it is checked, so that parallel tries cannot exceed the limits.
    const counters = [`pair:${row.user_id}`, `account:${row.user_id}`, `in-a-row:${row.user_id}`];
    const isCounted = await host.write(() => {
      for (const counter of [...counters, "network"]) limits.take(counter, now);
      return countTry.get(jti) !== null;
    });
    if (!isCounted) return host.refused();
    const secret = box.open(row.sealed_secret);
    const current = Math.floor(now / 30_000);
    let step = 0;
    for (const candidate of [current - 1, current, current + 1]) {
      if (timingSafeEqual(Buffer.from(totpCode(secret, candidate)), Buffer.from(code))) step = candidate;
    }
    if (step <= row.last_step) return host.refused();
    const session = await host.write(() => {
      if (!consume.get(now, jti, now) || !spendStep.get(step, now, row.user_id, step)) return null;
      for (const counter of [counters[0], counters[2]]) if (counter) limits.clear(counter);
      return begin(row.user_id, "password", "aal2", '["pwd","otp","mfa"]', now);
    });
    return session ? tokens(session) : host.refused();
  }

  function tokens(session: Bundle): Response {
    const access = host.mint.ed(session);
    const refresh = host.mint.refresh(session.sid, 1, session.refresh_issued_at, session.refresh_expires_at);
    const cookie = (name: string, value: string) => `${name}=${value}; Path=/; Max-Age=900; HttpOnly; SameSite=Lax`;
    const response = host.answer({
      status: "success",
      access_token: access,
      token_type: "Bearer",
      expires_in: 900,
      refresh_token: refresh,
      user: userOf(session),
    });
    response.headers.append("set-cookie", cookie("sallyport_at", access));
    response.headers.append("set-cookie", cookie("sallyport_rt", refresh));
    return response;
  }

  return { passkeyBegin, passkeyComplete, verifyTotp };
}

interface Completion {
  flow_id: string;
  response: { id: string; response: { clientDataJSON: string; authenticatorData: string; signature: string } };
}

/** Counters that several nodes share and that survive a restart. Each costs one upsert. */
function durableLimits(writer: Database) {
  const take = writer.prepare<{ tat_at: number }, [string, number, number]>(
    `INSERT INTO rate_limits (key, tat_at, expires_at) VALUES (+?, +?, +?)
      ON CONFLICT (key) DO UPDATE SET tat_at = rate_limits.tat_at + 1, expires_at = rate_limits.tat_at + 1 RETURNING tat_at`,
  );
  const remove = writer.prepare<never, [string]>("DELETE FROM rate_limits WHERE key = +?");
  return {
    take: (key: string, now: number) => take.get(key, now, now),
    clear: (key: string) => remove.run(key),
  };
}

/** Reads x and y at their fixed places in the COSE key of {@link newCredential}. */
function es256(cose: Uint8Array): KeyObject {
  const part = (from: number) => Buffer.from(cose.subarray(from, from + 32)).toString("base64url");
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x: part(10), y: part(45) }, format: "jwk" });
}

/** Makes the writes of every sign-in: the session, the audit entry and the device. */
function beginSession(writer: Database, seed: { tenantId: string; applicationId: string; publicUrl: string }) {
  const user = writer.prepare<Bundle, [string]>(
    `SELECT u.id AS user_id, u.external_id, u.display_name, u.public_metadata, u.created_at AS user_created_at,
      u.updated_at AS user_updated_at, u.disabled_at, u.deleted_at, e.address AS email, e.verified_at AS email_verified_at
      FROM users u LEFT JOIN user_emails e ON e.user_id = u.id AND e.is_primary = 1 WHERE u.id = +?`,
  );
  const session = writer.prepare<never, (string | number | null)[]>(
    `INSERT INTO sessions (id, tenant_id, application_id, user_id, organization_id, aal, auth_method, amr, authenticated_at,
      audience, scope, delivery, user_agent, address, generation, refresh_issued_at, refresh_expires_at, rotated_at,
      created_at, last_seen_at, expires_at)
      VALUES (+?, +?, +?, +?, NULL, +?, +?, +?, +?, +?, 'account', 'cookie', NULL, '127.0.0.1', 1, +?, +?, NULL, +?, +?, +?)`,
  );
  const audit = writer.prepare<never, (string | number | null)[]>(
    `INSERT INTO audit_entries (tenant_id, occurred_at, actor_kind, actor_id, action, target_kind, target_id,
      application_id, address, user_agent, request_id, details, chain_mac)
      VALUES (+?, +?, 'user', +?, 'session.created', 'session', +?, +?, '127.0.0.1', NULL, +?, '{}', NULL)`,
  );
  const device = writer.prepare<never, [string, string, string, number, number]>(
    "INSERT INTO account_devices (user_id, digest, tenant_id, first_seen_at, last_seen_at) VALUES (+?, +?, +?, +?, +?)",
  );
  const { tenantId, applicationId } = seed;
  const audience = `${seed.publicUrl}/api/${applicationId}`;
  return (userId: string, method: string, aal: string, amr: string, now: number): Bundle | null => {
    const row = user.get(userId);
    if (!row || row.disabled_at !== null || row.deleted_at !== null) return null;
    const sid = randomUUID();
    const expires_at = now + 180 * DAY;
    const refresh_expires_at = now + 30 * DAY;
    const times = [now, refresh_expires_at, now, now, expires_at];
    session.run(sid, tenantId, applicationId, userId, aal, method, amr, now, audience, ...times);
    audit.run(tenantId, now, userId, sid, applicationId, randomUUID());
    device.run(userId, sha256(randomUUID()).toString("base64url"), tenantId, now, now);
    const made = { sid, tenant_id: tenantId, application_id: applicationId, aal, auth_method: method, amr };
    const when = { authenticated_at: now, refresh_issued_at: now, refresh_expires_at, expires_at };
    return { ...row, ...made, ...when, audience, scope: "account", generation: 1 };
  };
}

/** Seals with AES-256-GCM under the floor's own key, because the floor does not depend on the appliance's format. */
function sealedAnew(reader: Database, writer: Database, totp: TotpSeed) {
  const key = randomBytes(32);
  const users = reader.query<{ user_id: string }, []>("SELECT user_id FROM totp_factors ORDER BY rowid").all();
  const update = writer.prepare<never, [Uint8Array, string]>(
    "UPDATE totp_factors SET sealed_secret = ? WHERE user_id = ?",
  );
  writer.run("BEGIN IMMEDIATE");
  for (const [index, { user_id }] of users.entries()) {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const sealed = Buffer.concat([cipher.update(totpSecret(totp.key, index)), cipher.final()]);
    update.run(Buffer.concat([nonce, sealed, cipher.getAuthTag()]), user_id);
  }
  writer.run("COMMIT");
  return {
    open(sealed: Uint8Array): Buffer {
      const bytes = Buffer.from(sealed);
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    },
  };
}
