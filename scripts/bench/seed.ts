import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settings as appSettings, features } from "../../src/app.ts";
import { systemClock } from "../../src/core/clock.ts";
import { loadSettings } from "../../src/core/config.ts";
import { newId } from "../../src/core/ids.ts";
import { OwnHosts } from "../../src/core/own-hosts.ts";
import { HashQueue } from "../../src/crypto/hash-queue.ts";
import { generateMasterKey, parseMasterKeys } from "../../src/crypto/master-key.ts";
import { PasswordHasher } from "../../src/crypto/password-hash.ts";
import { insertPassword } from "../../src/features/password/store.ts";
import type { Application } from "../../src/identity/applications/application.ts";
import { ActIn, ANONYMOUS } from "../../src/identity/audit/act.ts";
import { createIdentity, type Identity } from "../../src/identity/identity.ts";
import { findSession, type SessionBundle } from "../../src/identity/sessions/store.ts";
import { setUp } from "../../src/identity/setup.ts";
import { insertEmail, insertUser } from "../../src/identity/users/store.ts";
import { openStorage } from "../../src/storage/open.ts";
import { type FactorSeed, seedFactors } from "./factors.ts";
import { type MachineSeed, seedMachines } from "./machines.ts";

/** More tokens than any of our caches holds, so that a rotation through them meets each as a new token. */
const FRESH_TOKENS = 25_000;
const USERS = 512;
const ORIGIN = { requestId: "", address: "127.0.0.1", network: "127.0.0.1", userAgent: "bench" };
const LOGIN_USERS = 64;
export const PASSWORD = "the bench rides a bicycle at dawn";

/** The start of both sides of a comparison: a data directory each, with the same data. */
export interface Seed {
  port: number;
  publicUrl: string;
  masterKeyFile: string;
  /** Our data directory. The floor has its own copy of the database. */
  dataDirectory: string;
  floorDatabase: string;
  secretKey: string;
  tenantId: string;
  applicationId: string;
  defaultApplicationId: string;
  /** One access token per session. */
  tokens: string[];
  freshTokens: string[];
  /** `sid` and refresh token of sessions, by the signing algorithm of their application. */
  refresh: Record<"EdDSA" | "RS256", { sid: string; token: string }[]>;
  logins: string[];
  machines: MachineSeed;
  factors: FactorSeed;
  /** The floor's hash: the stored PHC text, and the input for the right password. */
  hash: { phc: string; input: string };
}

/**
 * Fills a new data directory with the appliance's own code, but does not hash a password for every user.
 * @param totpUsers the number of users with an authenticator app
 */
export async function seed(directory: string, port: number, totpUsers: number): Promise<Seed> {
  const dataDirectory = join(directory, "data");
  mkdirSync(dataDirectory, { mode: 0o700 });
  const masterKey = generateMasterKey();
  const masterKeyFile = join(directory, "bench.master-key");
  writeFileSync(masterKeyFile, `${masterKey}\n`, { mode: 0o600 });
  const file = join(dataDirectory, "sallyport.db");
  const publicUrl = `http://localhost:${port}`;
  const storage = await openStorage({ kind: "sqlite", file });
  const settings = loadSettings(appSettings, { env: {}, flags: {} });
  const masterKeys = parseMasterKeys(masterKey);
  const identity = await createIdentity({
    storage,
    clock: systemClock,
    masterKeys,
    hosts: new OwnHosts(publicUrl, new Map()),
    settings,
    features: features.hooks,
  });
  const made = await setUp(identity, { origins: [] });
  const own = await requireApplication(identity, made.applicationId);
  const plain = await requireApplication(identity, made.defaultApplicationId);
  const stored = await storedHash(identity);

  const users: string[] = [];
  for (let i = 0; i < USERS; i++) users.push(await addUser(identity, i, i < LOGIN_USERS ? stored : null));
  const signed = await Promise.all(users.map((user) => signIn(identity, own, user)));
  const plainSigned = await Promise.all(users.slice(0, 256).map((user) => signIn(identity, plain, user)));
  const bundles: SessionBundle[] = [];
  for (const { session } of signed) bundles.push((await findSession(storage.read, session.sid)) ?? session);
  const freshTokens: string[] = [];
  for (let i = 0; i < FRESH_TOKENS; i++) {
    const bundle = bundles[i % bundles.length];
    if (bundle) freshTokens.push(await identity.accessTokens.mint(bundle, own));
  }
  const machines = await seedMachines(identity, made.tenantId, own.id);
  await storage.close();
  const factors = await seedFactors({
    directory,
    database: file,
    identity,
    tenantId: made.tenantId,
    applicationId: own.id,
    publicUrl,
    users,
    totpUsers,
  });
  const floorDatabase = join(directory, "floor.db");
  copyFileSync(file, floorDatabase);
  const { key } = identity.dataKeys.current("pepper");
  const hmac = new Bun.CryptoHasher("sha256", key).update(PASSWORD.normalize("NFKC"));
  return {
    port,
    publicUrl,
    masterKeyFile,
    dataDirectory,
    floorDatabase,
    secretKey: made.secretKey,
    tenantId: made.tenantId,
    applicationId: own.id,
    defaultApplicationId: plain.id,
    tokens: signed.map(({ accessToken }) => accessToken),
    freshTokens,
    refresh: {
      EdDSA: signed.map(({ session, refreshToken }) => ({ sid: session.sid, token: refreshToken })),
      RS256: plainSigned.map(({ session, refreshToken }) => ({ sid: session.sid, token: refreshToken })),
    },
    machines,
    factors,
    logins: Array.from({ length: LOGIN_USERS }, (_, i) => emailOf(i)),
    hash: { phc: stored.replace(/^p\d+/, ""), input: hmac.digest("base64url") },
  };
}

const emailOf = (index: number) => `person-${index}@example.com`;

async function requireApplication(identity: Identity, id: string): Promise<Application> {
  const application = await identity.directory.application(id);
  if (!application) throw new Error(`the new application ${id} is missing`);
  return application;
}

async function storedHash(identity: Identity): Promise<string> {
  const queue = new HashQueue({ slots: 1, maxWaiting: 1, maxWaitingPerKey: 1, clock: systemClock });
  const pepper = identity.dataKeys.current("pepper");
  return new PasswordHasher(queue).hash(PASSWORD, { fairnessKey: "", pepper });
}

async function addUser(identity: Identity, index: number, hash: string | null): Promise<string> {
  const now = systemClock.now();
  const id = newId(now);
  const tenantId = (await requireDefaultTenant(identity)).id;
  await identity.storage.write(async (tx) => {
    await insertUser(tx, now, {
      id,
      tenant_id: tenantId,
      display_name: `Person ${index}`,
      public_metadata: '{"plan":"team","seats":12}',
    });
    const address = emailOf(index);
    await insertEmail(tx, { id: newId(now), tenantId, userId: id, address, canonical: address, now });
    if (hash !== null) await insertPassword(tx, { userId: id, tenantId, hash, now });
  });
  return id;
}

async function requireDefaultTenant(identity: Identity) {
  const tenant = await identity.directory.tenantBySlug("default");
  if (!tenant) throw new Error("there is no default tenant");
  return tenant;
}

async function signIn(identity: Identity, application: Application, userId: string) {
  const act = new ActIn(application, ORIGIN, ANONYMOUS);
  const nothing = { audience: null, organization: null, replaces: null, trustedDevice: [] };
  const proof = { method: "password", amr: ["pwd"], aal: "aal1", commit: async () => userId } as const;
  const outcome = await identity.signIns.complete({ act, delivery: "cookie", ...nothing }, proof);
  if (outcome.status !== "success") throw new Error("the sign-in requires a second factor");
  return outcome.issued;
}
