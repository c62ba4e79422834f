import { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAY, systemClock } from "../../src/core/clock.ts";
import { newId } from "../../src/core/ids.ts";
import { MfaTokens } from "../../src/identity/factors/mfa-tokens.ts";
import type { Identity } from "../../src/identity/identity.ts";
import { type Credential, newCredential } from "./authenticator.ts";
import { type TotpSeed, totpSecret } from "./conversations.ts";

/** The data for the rows about second factors and passkeys, beside the users. */
export interface FactorSeed {
  rpId: string;
  origin: string;
  /** JSON: {@link Credential}[], one per user. */
  passkeyFile: string;
  /** JSON: {@link TotpSeed}. */
  totpFile: string;
  /** The key of the MFA tokens in base64, so that the floor can check the same tokens. */
  mfaKey: string;
}

interface Place {
  directory: string;
  database: string;
  identity: Identity;
  tenantId: string;
  applicationId: string;
  publicUrl: string;
  /** The users who get a passkey. */
  users: readonly string[];
  /** The number of users with an authenticator app. Each allows one verification on each side. */
  totpUsers: number;
}

/** Seeds tens of thousands of rows by plain statements in one transaction. The appliance's storage must be closed. */
export async function seedFactors(place: Place): Promise<FactorSeed> {
  const { directory, identity, publicUrl } = place;
  const database = new Database(place.database, { readwrite: true, create: false });
  database.run("PRAGMA foreign_keys = ON");
  database.run("BEGIN IMMEDIATE");
  const passkeyFile = join(directory, "passkeys.json");
  const totpFile = join(directory, "totp.json");
  writeFileSync(passkeyFile, JSON.stringify(insertPasskeys(database, place)), { mode: 0o600 });
  writeFileSync(totpFile, JSON.stringify(await insertTotp(database, place)), { mode: 0o600 });
  database.run("COMMIT");
  database.close();
  const mfaKey = Buffer.from(identity.dataKeys.current("mfa").key).toString("base64");
  return { rpId: new URL(publicUrl).hostname, origin: publicUrl, passkeyFile, totpFile, mfaKey };
}

function insertPasskeys(database: Database, { tenantId, users, publicUrl }: Place): Credential[] {
  const now = systemClock.now();
  const { hostname } = new URL(publicUrl);
  const insert = database.prepare(
    `INSERT INTO passkeys (id, tenant_id, user_id, credential_id, public_key, rp_id, counter, transports, aaguid,
      is_backup_eligible, is_backed_up, name, created_at, last_used_at)
      VALUES (?, ?, ?, ?, ?, ?, 0, '["internal"]', '00000000-0000-0000-0000-000000000000', 0, 0, 'Bench', ?, NULL)`,
  );
  return users.map((userId) => {
    const { credential, cose } = newCredential(Buffer.from(userId.replaceAll("-", ""), "hex").toString("base64url"));
    insert.run(newId(now), tenantId, userId, credential.id, cose, hostname, now);
    return credential;
  });
}

/** Inserts users in the middle of a sign-in: the first factor is proven, and the flow outlasts the benchmark. */
async function insertTotp(database: Database, place: Place): Promise<TotpSeed> {
  const { identity, tenantId, applicationId } = place;
  const now = systemClock.now();
  const key = randomBytes(20).toString("base64");
  const box = identity.dataKeys.box("totp");
  const mfaTokens = new MfaTokens(identity.dataKeys);
  const user = database.prepare(
    `INSERT INTO users (id, tenant_id, display_name, search_name, public_metadata, private_metadata, created_at, updated_at)
      VALUES (?, ?, 'Bench', 'bench', '{}', '{}', ?, ?)`,
  );
  const factor = database.prepare(
    `INSERT INTO totp_factors (user_id, tenant_id, sealed_secret, last_step, created_at, enabled_at) VALUES (?, ?, ?, 0, ?, ?)`,
  );
  const flow = database.prepare(
    `INSERT INTO flows (id, tenant_id, application_id, user_id, kind, step, state, attempts, created_at, expires_at)
      VALUES (?, ?, ?, ?, 'mfa', 'first-factor', ?, 0, ?, ?)`,
  );
  const state = JSON.stringify({
    method: "password",
    amr: ["pwd"],
    delivery: "cookie",
    audience: null,
    organization: null,
    isSetup: false,
  });
  const tokens: string[] = [];
  for (let index = 0; index < place.totpUsers; index++) {
    const userId = newId(now);
    const flowId = newId(now);
    user.run(userId, tenantId, now, now);
    const sealed = box.seal(totpSecret(key, index), { keyId: userId, purpose: "totp" });
    factor.run(userId, tenantId, sealed, now, now);
    flow.run(flowId, tenantId, applicationId, userId, state, now, now + DAY);
    tokens.push(await mfaTokens.mint(flowId, now, DAY));
  }
  return { key, tokens };
}
