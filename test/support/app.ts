import { type App, createApp, settings } from "../../src/app.ts";
import type { RequestOrigin } from "../../src/core/caller.ts";
import { loadSettings } from "../../src/core/config.ts";
import { newId } from "../../src/core/ids.ts";
import { insertPassword } from "../../src/features/password/store.ts";
import { listenerOptions } from "../../src/http/server.ts";
import type { Scope } from "../../src/identity/api-keys/scopes.ts";
import type { Act } from "../../src/identity/applications/act.ts";
import type { ApplicationSettings } from "../../src/identity/applications/administration.ts";
import { ActIn, ANONYMOUS } from "../../src/identity/audit/act.ts";
import type { Identity } from "../../src/identity/identity.ts";
import type { IssuedTokens } from "../../src/identity/sessions/sessions.ts";
import type { FirstSetup } from "../../src/identity/setup.ts";
import type { SignInRequest } from "../../src/identity/sign-in/sign-ins.ts";
import { insertEmail, insertUser } from "../../src/identity/users/store.ts";
import type { Inbox } from "../../src/mail/inbox.ts";
import type { Transport } from "../../src/mail/transport.ts";
import { Client } from "./client.ts";
import { Contract } from "./contract.ts";
import { CountingStorage } from "./counting-storage.ts";
import { type DatabaseKind, openFilled } from "./database.ts";
import { FakeClock } from "./fake-clock.ts";
import { CapturedLog } from "./logs.ts";
import { Mailbox, type ReceivedMail } from "./mailbox.ts";
import { stateOf, textOf } from "./tables.ts";
import { APP_ORIGIN, giveRsaKey, PASSWORD, template } from "./template.ts";

export interface StartOptions {
  database?: DatabaseKind;
  /** Replaces the address that the server listens on. */
  publicUrl?: string;
  settings?: Record<string, unknown>;
  /** An application that is already running: the new one is another process on the same data. */
  beside?: TestApp;
  /** Replaces the mailbox; null for no transport. */
  transport?: Transport | null;
  /** Catches mails as `sallyport dev` does. */
  inbox?: Inbox;
  /** Lets every page on this machine call, as `sallyport dev` does. */
  allowsLoopbackPages?: boolean;
}

export interface TestTenant {
  id: string;
  slug: string;
  issuer: string;
  defaultApplicationId: string;
  /** A second application, which signs EdDSA. */
  applicationId: string;
  /** A key of that application, with scope `admin`. */
  secretKey: string;
}

export interface TestUser {
  id: string;
  email: string;
  /** The body of a sign-in. */
  login: { email: string; password: string };
}

const ANYWHERE = { requestId: "test", address: "192.0.2.1", network: "192.0.2.1", userAgent: "test" };

interface ActOptions {
  applicationId?: string;
  origin?: RequestOrigin;
}

/** Starts the real application on a real port, in memory, with a clock of its own. */
export async function startApp(options: StartOptions = {}): Promise<TestApp> {
  const { masterKeys, setup, rows } = await template();
  const { beside } = options;
  const clock = beside?.clock ?? new FakeClock();
  const storage = beside?.storage ?? new CountingStorage(await openFilled(options.database ?? "sqlite", clock, rows));
  const log = new CapturedLog();
  const mailbox = new Mailbox();
  const starting = () => new Response(null, { status: 503 });
  const server = Bun.serve({ ...listenerOptions, hostname: "127.0.0.1", port: 0, fetch: starting });
  const url = `http://127.0.0.1:${server.port}`;
  const publicUrl = options.publicUrl ?? beside?.publicUrl ?? `http://localhost:${server.port}`;
  const app = await createApp({
    settings: loadSettings(settings, { env: {}, flags: options.settings ?? {} }),
    publicUrl,
    storage,
    clock,
    log,
    masterKeys,
    transport: options.transport === undefined ? (beside?.mailbox ?? mailbox) : options.transport,
    inbox: options.inbox ?? null,
    allowsLoopbackPages: options.allowsLoopbackPages ?? false,
    version: "0.0.0-test",
  });
  server.reload({ ...listenerOptions, routes: app.routes, fetch: app.fetch } as never);
  const stop = async () => {
    await server.stop(true);
    if (!beside) await storage.close();
  };
  return new TestApp({ app, url, publicUrl, clock, storage, log, mailbox: beside?.mailbox ?? mailbox, setup, stop });
}

interface Parts {
  app: App;
  url: string;
  publicUrl: string;
  clock: FakeClock;
  storage: CountingStorage;
  log: CapturedLog;
  mailbox: Mailbox;
  setup: FirstSetup;
  stop: () => Promise<void>;
}

export class TestApp {
  readonly app: App;
  readonly identity: Identity;
  /** The address that it listens on. */
  readonly url: string;
  /** Its configured public address. */
  readonly publicUrl: string;
  readonly clock: FakeClock;
  readonly storage: CountingStorage;
  readonly log: CapturedLog;
  /** Received the mails that were sent. */
  readonly mailbox: Mailbox;
  readonly tenantId: string;
  /** Signs RS256; allows no page. */
  readonly defaultApplicationId: string;
  /** Signs EdDSA; allows {@link APP_ORIGIN}. */
  readonly applicationId: string;
  /** Has scope `admin` in {@link applicationId}. */
  readonly secretKey: string;
  readonly contract: Contract;
  /** Every secret that was handed out. None may appear in a log or in the database. */
  readonly secrets = new Set<string>([PASSWORD]);
  readonly #stop: () => Promise<void>;
  #count = 0;

  constructor(parts: Parts) {
    this.app = parts.app;
    this.identity = parts.app.identity;
    this.url = parts.url;
    this.publicUrl = parts.publicUrl;
    this.clock = parts.clock;
    this.storage = parts.storage;
    this.log = parts.log;
    this.mailbox = parts.mailbox;
    this.tenantId = parts.setup.tenantId;
    this.defaultApplicationId = parts.setup.defaultApplicationId;
    this.applicationId = parts.setup.applicationId;
    this.secretKey = parts.setup.secretKey;
    this.secrets.add(this.secretKey);
    this.contract = Contract.of(parts.app.router);
    this.#stop = parts.stop;
  }

  /** Returns a caller that is not a page. Every request carries `headers`. */
  client(headers: Record<string, string> = {}): Client {
    return new Client(this, headers);
  }

  /** Returns a page on `origin`, which keeps cookies and sends the headers of a browser. */
  page(origin: string = APP_ORIGIN, headers: Record<string, string> = {}): Client {
    const site = origin === this.publicUrl ? "same-origin" : "cross-site";
    return new Client(this, { origin, "sec-fetch-site": site, ...headers }, new Map());
  }

  async tenant(slug: string): Promise<TestTenant> {
    const now = this.clock.now();
    const index = ++this.#count;
    const made = await this.storage.write(async (tx) => {
      const { tenant, application } = await this.identity.applications.createTenantWithDefault(tx, now, {
        slug,
        name: slug,
      });
      const own = await this.identity.applications.create(tx, now, tenant.id, {
        name: "Own",
        origins: [`https://${slug}.example`],
      });
      return { id: tenant.id, defaultApplicationId: application.id, applicationId: own.id };
    });
    await giveRsaKey(this.storage, made.id, index, now);
    this.forget();
    const secretKey = await this.newSecretKey({ tenantId: made.id, applicationId: made.applicationId });
    return { ...made, slug, issuer: `${this.publicUrl}/t/${slug}`, secretKey };
  }

  /** @returns its id */
  async application(changes: Partial<ApplicationSettings> = {}, tenantId: string = this.tenantId): Promise<string> {
    const row = await this.storage.write((tx) =>
      this.identity.applications.create(tx, this.clock.now(), tenantId, { name: "Another", ...changes }),
    );
    this.forget();
    return row.id;
  }

  async newSecretKey(input: { tenantId?: string; applicationId?: string; scopes?: Scope[] } = {}): Promise<string> {
    const { secret } = await this.storage.write((tx) =>
      this.identity.apiKeys.createSecret(tx, {
        tenantId: input.tenantId ?? this.tenantId,
        applicationId: input.applicationId ?? this.applicationId,
        name: "test",
        scopes: input.scopes ?? ["admin"],
      }),
    );
    this.secrets.add(secret);
    return secret;
  }

  /** Makes a user with {@link PASSWORD} and a proven address, without the cost of hashing the password. */
  async user(
    email = `person-${++this.#count}@example.com`,
    tenantId: string = this.tenantId,
    isVerified = true,
  ): Promise<TestUser> {
    const now = this.clock.now();
    const id = newId(now);
    const { passwordHash } = await template();
    await this.storage.write(async (tx) => {
      await insertUser(tx, now, { id, tenant_id: tenantId });
      const address = { address: email, canonical: email.toLowerCase() };
      await insertEmail(tx, { id: newId(now), tenantId, userId: id, ...address, now, isVerified });
      await insertPassword(tx, { userId: id, tenantId, hash: passwordHash, now });
    });
    return { id, email, login: { email, password: PASSWORD } };
  }

  /** Makes a user as {@link user} does, whose address nobody has proven. */
  unproven(email?: string): Promise<TestUser> {
    return this.user(email, this.tenantId, false);
  }

  /** Returns an act as the gate makes it for an anonymous caller. */
  async act({ applicationId = this.applicationId, origin = ANYWHERE }: ActOptions = {}): Promise<Act> {
    const application = await this.identity.directory.application(applicationId);
    if (!application) throw new Error(`no application ${applicationId}`);
    return new ActIn(application, origin, ANONYMOUS);
  }

  /** Returns a sign-in without special requests. */
  signInRequest(act: Act): SignInRequest {
    const nothing = { audience: null, organization: null, replaces: null, trustedDevice: [] };
    return { act, delivery: "cookie", ...nothing };
  }

  /** Signs a user in through the host's own phases, without hashing a password. */
  async signIn(
    user: Pick<TestUser, "id">,
    applicationId: string = this.applicationId,
    aal: "aal1" | "aal2" = "aal1",
  ): Promise<IssuedTokens> {
    const request = this.signInRequest(await this.act({ applicationId }));
    const proof = { method: "password", amr: ["pwd"], aal, commit: async () => user.id };
    const outcome = await this.identity.signIns.complete(request, proof);
    if (outcome.status !== "success") throw new Error("a second factor is asked for");
    const { issued } = outcome;
    this.secrets.add(issued.accessToken).add(issued.refreshToken);
    return issued;
  }

  /** Makes a user and their session. */
  async signedIn(applicationId: string = this.applicationId): Promise<{ user: TestUser; tokens: IssuedTokens }> {
    const user = await this.user();
    return { user, tokens: await this.signIn(user, applicationId) };
  }

  async disable(table: "users" | "applications" | "tenants", id: string): Promise<void> {
    const disabled_at = this.clock.now();
    await this.storage.write(async (tx) => {
      await tx.kysely.updateTable(table).set({ disabled_at }).where("id", "=", id).execute();
    });
    this.forget();
  }

  /** Drops cached rows, as the command line does after a change. */
  forget(): void {
    this.identity.directory.forget();
  }

  /** Sends the mails that are due. Returns the mails that no test has read yet, to one address or to all. */
  async mails(to?: string): Promise<ReceivedMail[]> {
    await this.identity.outbox.deliver();
    const mails = this.mailbox.take(to);
    const rows = await this.storage.read.kysely.selectFrom("outbox_mails").select(["id", "template"]).execute();
    const templates = new Map(rows.map((row) => [row.id, row.template]));
    for (const mail of mails) mail.template = templates.get(mail.id) ?? "";
    for (const { link, code } of mails) for (const secret of [link, code]) if (secret) this.secrets.add(secret);
    return mails;
  }

  /** Returns the only mail to an address since the last call. */
  async mail(to: string): Promise<ReceivedMail> {
    const [mail, ...more] = await this.mails(to);
    if (!mail || more.length > 0) throw new Error(`${mail ? more.length + 1 : 0} mails to ${to}, not one`);
    return mail;
  }

  /** Returns how many rows the outbox has: mails that were written, with or without a recipient. */
  async mailsWritten(): Promise<number> {
    const rows = await this.storage.read.kysely.selectFrom("outbox_mails").select("id").execute();
    return rows.length;
  }

  /** Returns the actions of the audit log, oldest first. */
  async audit(): Promise<string[]> {
    return (await this.auditEntries()).map((entry) => entry.action);
  }

  auditEntries() {
    return this.storage.read.kysely.selectFrom("audit_entries").selectAll().orderBy("seq").execute();
  }

  state(): Promise<string> {
    return stateOf(this.storage);
  }

  /** Returns the value of one metric from /metrics. */
  metric(name: string): number {
    const line = this.app.metrics
      .render()
      .split("\n")
      .find((text) => text.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1));
  }

  /**
   * Ends the application.
   * @throws Error if a secret that was handed out appears in the log or in the database (ASVS 16.2.5)
   */
  async close(): Promise<void> {
    const kept = { log: this.log.text(), database: await textOf(this.storage) };
    await this.#stop();
    for (const secret of this.secrets) {
      for (const [place, text] of Object.entries(kept)) {
        if (text.includes(secret)) throw new Error(`the ${place} holds a secret: ${secret.slice(0, 12)}…`);
      }
    }
  }
}
