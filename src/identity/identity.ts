import type { Clock } from "../core/clock.ts";
import { DAY, HOUR, SECOND } from "../core/clock.ts";
import type { SettingsOf } from "../core/config.ts";
import type { Job } from "../core/feature.ts";
import type { Log } from "../core/log.ts";
import type { OwnHosts } from "../core/own-hosts.ts";
import type { MasterKeys } from "../crypto/master-key.ts";
import { Outbox } from "../mail/outbox.ts";
import type { mailSettings } from "../mail/settings.ts";
import {
  clearDeadMails,
  expireMails,
  insertMail,
  purgeDeadMails,
  purgeSentMails,
  purgeVoidMails,
} from "../mail/store.ts";
import type { Transport } from "../mail/transport.ts";
import { purgeRateLimits } from "../storage/rate-limits.ts";
import type { Batch } from "../storage/some-rows.ts";
import type { Executor, Storage } from "../storage/storage.ts";
import { watchOf, watchStatements } from "../storage/watch.ts";
import { Accounts } from "./accounts/accounts.ts";
import { FAREWELL_TIME, Farewells } from "./accounts/farewell.ts";
import { ApiKeys } from "./api-keys/api-keys.ts";
import { purgeApiKeys, purgePreviousSecrets } from "./api-keys/store.ts";
import { ApplicationAdministration } from "./applications/administration.ts";
import { Directory } from "./applications/directory.ts";
import { purgeAudit, purgeAuditFloods } from "./audit/store.ts";
import { type AuditedAct, watchAudit } from "./audit/watch.ts";
import { Clients } from "./clients/clients.ts";
import { purgeClientSecrets } from "./clients/store.ts";
import { CustomerTokens } from "./customer-tokens/customer-tokens.ts";
import { DEVICE_LIFETIME, Devices } from "./devices/devices.ts";
import { deviceRetention } from "./devices/store.ts";
import { EmailProofs } from "./email-proofs/proofs.ts";
import { MfaTokens } from "./factors/mfa-tokens.ts";
import { SecondFactors } from "./factors/second-factors.ts";
import { purgeTrustedDevices } from "./factors/store.ts";
import { TrustedDevices } from "./factors/trusted-devices.ts";
import { Flows } from "./flows/flows.ts";
import { purgeFlows } from "./flows/store.ts";
import type { FeatureHooks } from "./hooks.ts";
import { purgeIdempotency } from "./idempotency/store.ts";
import { DataKeys } from "./keys/data-keys.ts";
import { Keyring } from "./keys/keyring.ts";
import { rotateDueKeys } from "./keys/rotation.ts";
import { keepRetiringKeys, purgeSigningKeys } from "./keys/store.ts";
import { Attempts } from "./limits/attempts.ts";
import { WriteBudgets } from "./limits/write-budgets.ts";
import { Notices } from "./notices/notices.ts";
import { Retention, type RetentionStep, type RetentionSteps } from "./retention.ts";
import { RevocationSignal } from "./revocations/signal.ts";
import { purgeRevocations } from "./revocations/store.ts";
import { AccessTokens } from "./sessions/access-tokens.ts";
import { RefreshService } from "./sessions/refresh-service.ts";
import { RefreshTokens } from "./sessions/refresh-tokens.ts";
import { Sessions } from "./sessions/sessions.ts";
import { purgeEndedSessions, purgeExpiredSessions } from "./sessions/store.ts";
import type { identitySettings } from "./settings.ts";
import { SignIns } from "./sign-in/sign-ins.ts";
import { Credentials } from "./users/credentials.ts";
import { purgeFormerEmails } from "./users/emails/store.ts";

export interface IdentityOptions {
  storage: Storage;
  clock: Clock;
  masterKeys: MasterKeys;
  /** Its public URL is the default tenant's issuer. */
  hosts: OwnHosts;
  settings: SettingsOf<typeof identitySettings> &
    Pick<SettingsOf<typeof mailSettings>, "mail_from" | "smtp_connections">;
  features: FeatureHooks;
  /** Whether every page on this machine may call: for `sallyport dev` only. */
  allowsLoopbackPages?: boolean;
  /** Receives every audit entry that is written through this object, once it is durable. */
  onAudit?: (act: AuditedAct) => void;
  /** Without a transport, mails wait in the outbox. */
  transport?: Transport | null;
  log?: Log;
}

/** The services that two or more features need: they know who a user is, and nothing about how the user proved it. */
export interface Identity {
  storage: Storage;
  clock: Clock;
  settings: SettingsOf<typeof identitySettings>;
  directory: Directory;
  applications: ApplicationAdministration;
  credentials: Credentials;
  dataKeys: DataKeys;
  keyring: Keyring;
  accessTokens: AccessTokens;
  sessions: Sessions;
  signIns: SignIns;
  refreshService: RefreshService;
  apiKeys: ApiKeys;
  clients: Clients;
  customerTokens: CustomerTokens;
  accounts: Accounts;
  flows: Flows;
  emailProofs: EmailProofs;
  attempts: Attempts;
  writeBudgets: WriteBudgets;
  devices: Devices;
  secondFactors: SecondFactors;
  notices: Notices;
  outbox: Outbox;
  /** Signals revocations that are written through the `storage` of this object. */
  revocationSignal: RevocationSignal;
  retention: Retention;
  jobs: readonly Job[];
}

/** Builds the services. @throws MasterKeyMismatch */
export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { clock, masterKeys, settings, features } = options;
  const revocationSignal = new RevocationSignal();
  let mailWaits = () => {};
  const mailWatch = watchOf(insertMail, () => mailWaits());
  const storage = watchStatements(options.storage, [
    revocationSignal.watch,
    mailWatch,
    ...(options.onAudit ? [watchAudit(options.onAudit)] : []),
  ]);
  const dataKeys = await DataKeys.open(storage, masterKeys, clock);
  const directory = new Directory(storage, clock, options.hosts, options.allowsLoopbackPages);
  const keyring = new Keyring(storage, clock, masterKeys);
  const accessTokens = new AccessTokens(clock, keyring, directory, features.claims);
  const refreshTokens = new RefreshTokens(dataKeys);
  const sessions = new Sessions(clock, accessTokens, refreshTokens);
  const outbox = new Outbox({
    storage,
    clock,
    sealer: dataKeys.box("mail"),
    transport: options.transport ?? null,
    atOnce: settings.smtp_connections,
    from: settings.mail_from,
    log: options.log ?? null,
  });
  const notices = new Notices(outbox, settings.limit_notices);
  const flows = new Flows(clock);
  const emailProofs = new EmailProofs(storage, flows, dataKeys);
  const mfaTokens = new MfaTokens(dataKeys);
  const secondFactors = new SecondFactors(storage, clock, flows, mfaTokens);
  const trustedDevices = new TrustedDevices(clock);
  const devices = new Devices();
  const retention = new Retention(storage, options.log ?? null);
  const accounts = new Accounts(
    clock,
    flows,
    sessions,
    notices,
    secondFactors,
    new Farewells(notices, emailProofs),
    features.erasures,
    features.revocations,
  );
  const writeBudgets = new WriteBudgets(clock, settings.limit_session_writes);
  const apiKeys = new ApiKeys(storage, clock, directory, masterKeys);
  return {
    storage,
    clock,
    settings,
    directory,
    credentials: new Credentials(features.credentials),
    applications: new ApplicationAdministration(Object.keys(features.credentials), keepRetiringKeys),
    dataKeys,
    keyring,
    accessTokens,
    sessions,
    signIns: new SignIns(storage, clock, sessions, secondFactors, trustedDevices, devices, notices, accounts),
    refreshService: new RefreshService(storage, clock, directory, refreshTokens, sessions, secondFactors, writeBudgets),
    apiKeys,
    customerTokens: new CustomerTokens(storage, clock, directory, masterKeys, apiKeys),
    clients: new Clients(storage, clock, directory, accessTokens, settings),
    accounts,
    flows,
    emailProofs,
    attempts: new Attempts(storage, clock, devices, notices, settings),
    writeBudgets,
    devices,
    secondFactors,
    notices,
    outbox,
    revocationSignal,
    retention,
    jobs: [
      {
        name: "retention",
        every: HOUR,
        run: (stopping) => {
          const steps = retentionSteps(clock.now(), settings.audit_retention_days);
          return retention.run("retention", steps, stopping);
        },
      },
      { name: "key-rotation", every: HOUR, run: () => rotateDueKeys(storage, clock, keyring) },
      {
        name: "mail",
        every: 5 * SECOND,
        run: () => outbox.look(),
        onWake: (wake) => {
          mailWaits = wake;
        },
      },
      { name: "mail-count", every: 15 * SECOND, run: () => outbox.count() },
    ],
  };
}

/** The retention of every table of this room, as `storage/schema.ts` states it. */
function retentionSteps(now: number, auditDays: number): RetentionSteps {
  const since = (time: number, purge: (tx: Executor, time: number, limit: number) => Promise<Batch>): RetentionStep => {
    return (tx, limit) => purge(tx, time, limit);
  };
  return [
    ["rate_limits", since(now, purgeRateLimits)],
    ["revocations", since(now, purgeRevocations)],
    ["flows", since(now - DAY, purgeFlows)],
    ["former_emails", since(now - FAREWELL_TIME, purgeFormerEmails)],
    ["sessions", since(now - 30 * DAY, purgeEndedSessions)],
    ["sessions", since(now - 30 * DAY, purgeExpiredSessions)],
    ["api_keys", since(now - 90 * DAY, purgeApiKeys)],
    ["api_keys", since(now, purgePreviousSecrets)],
    ["client_secrets", since(now - 90 * DAY, purgeClientSecrets)],
    ["idempotency_records", since(now, purgeIdempotency)],
    ["outbox_mails", since(now, purgeVoidMails)],
    ["outbox_mails", since(now, expireMails)],
    ["outbox_mails", since(now, clearDeadMails)],
    ["outbox_mails", since(now, purgeSentMails)],
    ["outbox_mails", since(now, purgeDeadMails)],
    ["trusted_devices", since(now, purgeTrustedDevices)],
    ["account_devices", deviceRetention(now - DEVICE_LIFETIME)],
    ["signing_keys", since(now - 30 * DAY, purgeSigningKeys)],
    ["audit_entries", since(now - auditDays * DAY, purgeAudit)],
    ["audit_floods", since(now, purgeAuditFloods)],
  ];
}
