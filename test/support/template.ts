import { features, settings } from "../../src/app.ts";
import { loadSettings } from "../../src/core/config.ts";
import { newId } from "../../src/core/ids.ts";
import { OwnHosts } from "../../src/core/own-hosts.ts";
import { HashQueue } from "../../src/crypto/hash-queue.ts";
import { generateMasterKey, type MasterKeys, parseMasterKeys } from "../../src/crypto/master-key.ts";
import { PasswordHasher } from "../../src/crypto/password-hash.ts";
import { type GeneratedKey, generateSigningKey } from "../../src/crypto/signing-keys.ts";
import { createIdentity } from "../../src/identity/identity.ts";
import { insertSigningKey } from "../../src/identity/keys/store.ts";
import { type FirstSetup, setUp } from "../../src/identity/setup.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { openEmpty } from "./database.ts";
import { FakeClock } from "./fake-clock.ts";
import { onceInRun } from "./once.ts";
import { dump, type Rows } from "./tables.ts";

/** The origin of the test's own application. */
export const APP_ORIGIN = "https://app.example.com";
/** A long password that is on no list. */
export const PASSWORD = "plover-quartz-hinge-17";

interface StoredTemplate {
  masterKey: string;
  setup: FirstSetup;
  rows: Rows;
  /** The hash of {@link PASSWORD} under this template's pepper. */
  passwordHash: string;
}

export interface Template extends Omit<StoredTemplate, "masterKey"> {
  masterKeys: MasterKeys;
  masterKeyText: string;
}

let loaded: Promise<Template> | undefined;

/**
 * Returns the rows with which every test's database begins. The production code makes them once in a run, because RSA
 * keys and hashes are slow.
 */
export function template(): Promise<Template> {
  loaded ??= loadTemplate();
  return loaded;
}

async function loadTemplate(): Promise<Template> {
  const text = await onceInRun("template.json", async () => write(await makeTemplate()));
  const { masterKey, ...rest } = read<StoredTemplate>(text);
  return { ...rest, masterKeys: parseMasterKeys(masterKey), masterKeyText: masterKey };
}

async function makeTemplate(): Promise<StoredTemplate> {
  const clock = new FakeClock();
  // Ids sort by their milliseconds, and within a millisecond only in the process that made them. The rows that another
  // process adds must sort after these.
  clock.set(clock.now() - 1);
  const storage = await openEmpty(clock);
  const masterKey = generateMasterKey();
  const identity = await createIdentity({
    storage,
    clock,
    masterKeys: parseMasterKeys(masterKey),
    hosts: new OwnHosts("http://localhost", new Map()),
    settings: loadSettings(settings, { env: {}, flags: {} }),
    features: features.hooks,
  });
  const setup = await setUp(identity, { origins: [APP_ORIGIN] });
  // Most tests manage the application that signs EdDSA, so the first key belongs to that application here.
  await storage.write(async (tx) => {
    await tx.kysely.updateTable("api_keys").set({ application_id: setup.applicationId }).execute();
  });
  const hasher = new PasswordHasher(new HashQueue({ slots: 1, maxWaiting: 1, maxWaitingPerKey: 1, clock }));
  const passwordHash = await hasher.hash(PASSWORD, { fairnessKey: "", pepper: identity.dataKeys.current("pepper") });
  const { audit_entries: _, ...rows } = await dump(storage);
  await storage.close();
  return { masterKey, setup, rows, passwordHash };
}

const rsaKeys: Promise<GeneratedKey>[] = [];

function rsaKey(index: number): Promise<GeneratedKey> {
  rsaKeys[index] ??= onceInRun(`rsa-${index}.json`, async () => write(await generateSigningKey("RS256"))).then((text) =>
    read<GeneratedKey>(text),
  );
  return rsaKeys[index];
}

/** Gives a tenant the RSA key number `index` of this run; each key is made once, and no two tenants of a test share one. */
export async function giveRsaKey(storage: Storage, tenantId: string, index: number, now: number): Promise<void> {
  const { publicJwk, privatePkcs8 } = await rsaKey(index);
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
      withdrawn_at: null,
    }),
  );
}

/** Writes JSON that keeps bytes. */
function write(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, name, part: unknown) {
    // JSON.stringify has already converted a Buffer when it passes it as `part`.
    const original = this[name];
    return original instanceof Uint8Array ? { bytes: original.toHex() } : part;
  });
}

function read<T>(text: string): T {
  return JSON.parse(text, (_, part: unknown) => (isBytes(part) ? Uint8Array.fromHex(part.bytes) : part)) as T;
}

const isBytes = (part: unknown): part is { bytes: string } =>
  typeof part === "object" && part !== null && Object.keys(part).join() === "bytes";
