import { settings } from "../../src/app.ts";
import { loadSettings } from "../../src/core/config.ts";
import { newId } from "../../src/core/ids.ts";
import { HashQueue } from "../../src/crypto/hash-queue.ts";
import { generateMasterKey, type MasterKeys, parseMasterKeys } from "../../src/crypto/master-key.ts";
import { PasswordHasher } from "../../src/crypto/password-hash.ts";
import { generateSigningKey } from "../../src/crypto/signing-keys.ts";
import { createIdentity } from "../../src/identity/identity.ts";
import { insertSigningKey } from "../../src/identity/keys/store.ts";
import { type FirstSetup, setUp } from "../../src/identity/setup.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { dump, openDatabase, type Rows } from "./database.ts";
import { FakeClock } from "./fake-clock.ts";

/** Where the first application of one's own lives. */
export const APP_ORIGIN = "https://app.example.com";
/** Long, and in no list. */
export const PASSWORD = "plover-quartz-hinge-17";

export interface Template {
  masterKeys: MasterKeys;
  setup: FirstSetup;
  rows: Rows;
  /** The hash of {@link PASSWORD} under this template's pepper. */
  passwordHash: string;
}

let made: Promise<Template> | undefined;

/** What every test's database begins with, made once by the code that makes it for customers: RSA keys and hashes are slow. */
export function template(): Promise<Template> {
  made ??= makeTemplate();
  return made;
}

async function makeTemplate(): Promise<Template> {
  const clock = new FakeClock();
  const storage = await openDatabase("sqlite", clock);
  const masterKeys = parseMasterKeys(generateMasterKey());
  const identity = await createIdentity({
    storage,
    clock,
    masterKeys,
    publicUrl: "http://localhost",
    settings: loadSettings(settings, { env: {}, flags: {} }),
    claims: [],
  });
  const setup = await setUp(identity, { origins: [APP_ORIGIN] });
  // Most tests manage the application that signs EdDSA, so the first key is that application's here.
  await storage.write(async (tx) => {
    await tx.kysely.updateTable("api_keys").set({ application_id: setup.applicationId }).execute();
  });
  const hasher = new PasswordHasher(new HashQueue({ slots: 1, maxWaiting: 1, maxWaitingPerKey: 1, clock }));
  const passwordHash = await hasher.hash(PASSWORD, { fairnessKey: "", pepper: identity.dataKeys.current("pepper") });
  const { audit_entries: _, ...rows } = await dump(storage);
  await storage.close();
  return { masterKeys, setup, rows, passwordHash };
}

const rsaKeys: ReturnType<typeof generateSigningKey>[] = [];

/** Gives a tenant the RSA key number `index` of this test process; each key is made once, and no two tenants share one. */
export async function giveRsaKey(storage: Storage, tenantId: string, index: number, now: number): Promise<void> {
  rsaKeys[index] ??= generateSigningKey("RS256");
  const { publicJwk, privatePkcs8 } = await rsaKeys[index];
  const { masterKeys } = await template();
  const id = newId(now);
  await storage.write((tx) =>
    insertSigningKey(tx, {
      id,
      tenant_id: tenantId,
      algorithm: "RS256",
      public_jwk: JSON.stringify({ ...publicJwk, kid: id, use: "sig", alg: "RS256" }),
      sealed_private: masterKeys.seal(privatePkcs8, { keyId: id, purpose: "signing-key" }),
      created_at: now,
      active_at: now,
      retired_at: null,
      expires_at: null,
    }),
  );
}
