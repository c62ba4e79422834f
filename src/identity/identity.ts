import type { Clock } from "../core/clock.ts";
import { DAY, HOUR } from "../core/clock.ts";
import type { SettingsOf } from "../core/config.ts";
import type { Job } from "../core/feature.ts";
import type { MasterKeys } from "../crypto/master-key.ts";
import { purgeRateLimits } from "../storage/rate-limits.ts";
import type { Storage } from "../storage/storage.ts";
import { ApiKeys } from "./api-keys/api-keys.ts";
import { purgeApiKeys } from "./api-keys/store.ts";
import { purgeAudit } from "./audit/store.ts";
import { Clients } from "./clients/clients.ts";
import { purgeClientSecrets } from "./clients/store.ts";
import { Flows } from "./flows/flows.ts";
import { purgeFlows } from "./flows/store.ts";
import { purgeIdempotency } from "./idempotency/store.ts";
import { DataKeys } from "./keys/data-keys.ts";
import { Keyring } from "./keys/keyring.ts";
import { rotateDueKeys } from "./keys/rotation.ts";
import { purgeSigningKeys } from "./keys/store.ts";
import { RevocationSignal } from "./revocations/signal.ts";
import { purgeRevocations } from "./revocations/store.ts";
import { AccessTokens, type ClaimsHook } from "./sessions/access-tokens.ts";
import { Refreshes } from "./sessions/refresh.ts";
import { RefreshTokens } from "./sessions/refresh-tokens.ts";
import { Sessions } from "./sessions/sessions.ts";
import { SignIns } from "./sessions/sign-in.ts";
import { purgeSessions } from "./sessions/store.ts";
import type { identitySettings } from "./settings.ts";
import { Directory } from "./tenants/directory.ts";
import { type Erasure, Users } from "./users/users.ts";

export interface IdentityOptions {
  storage: Storage;
  clock: Clock;
  masterKeys: MasterKeys;
  /** The public base URL without a trailing slash: the default tenant's issuer. */
  publicUrl: string;
  settings: SettingsOf<typeof identitySettings>;
  claims: readonly ClaimsHook[];
  /** What features remove about a user who is being deleted. Commands that delete nobody need none. */
  erasures?: readonly Erasure[];
}

/** What two features need: everything about who somebody is, and nothing about how they proved it. */
export interface Identity {
  storage: Storage;
  clock: Clock;
  settings: SettingsOf<typeof identitySettings>;
  directory: Directory;
  dataKeys: DataKeys;
  keyring: Keyring;
  accessTokens: AccessTokens;
  sessions: Sessions;
  signIns: SignIns;
  refreshes: Refreshes;
  apiKeys: ApiKeys;
  clients: Clients;
  users: Users;
  flows: Flows;
  /** Tells of revocations that came in through `storage` of this object. */
  revocationSignal: RevocationSignal;
  jobs: readonly Job[];
}

/** @throws MasterKeyMismatch */
export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { clock, masterKeys, settings } = options;
  const revocationSignal = new RevocationSignal();
  const storage = revocationSignal.watch(options.storage);
  const dataKeys = await DataKeys.open(storage, masterKeys, clock);
  const directory = new Directory(storage, clock, options.publicUrl);
  const keyring = new Keyring(storage, clock, masterKeys);
  const accessTokens = new AccessTokens(clock, keyring, directory, options.claims);
  const refreshTokens = new RefreshTokens(dataKeys);
  const sessions = new Sessions(clock, accessTokens, refreshTokens);
  return {
    storage,
    clock,
    settings,
    directory,
    dataKeys,
    keyring,
    accessTokens,
    sessions,
    signIns: new SignIns(storage, clock, sessions),
    refreshes: new Refreshes(storage, clock, directory, refreshTokens, sessions),
    apiKeys: new ApiKeys(storage, clock, directory, masterKeys),
    clients: new Clients(storage, clock, directory, accessTokens, settings),
    users: new Users(clock, sessions, options.erasures ?? []),
    flows: new Flows(clock),
    revocationSignal,
    jobs: [
      { name: "retention", every: HOUR, run: () => retire(storage, clock, settings.audit_retention_days) },
      { name: "key-rotation", every: HOUR, run: () => rotateDueKeys(storage, clock, keyring) },
    ],
  };
}

/** The retention of every table of this room, as `storage/schema.ts` states it. */
async function retire(storage: Storage, clock: Clock, auditDays: number): Promise<void> {
  const now = clock.now();
  await storage.write(async (tx) => {
    await purgeRateLimits(tx, now);
    await purgeRevocations(tx, now);
    await purgeFlows(tx, now - DAY);
    await purgeSessions(tx, now - 30 * DAY);
    await purgeApiKeys(tx, now - 90 * DAY, now);
    await purgeClientSecrets(tx, now - 90 * DAY);
    await purgeIdempotency(tx, now);
    await purgeSigningKeys(tx, now - 30 * DAY);
    await purgeAudit(tx, now - auditDays * DAY, now);
  });
}
