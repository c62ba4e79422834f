import { createApp, settings } from "../../../src/app.ts";
import { type Clock, systemClock } from "../../../src/core/clock.ts";
import { loadSettings } from "../../../src/core/config.ts";
import { generateMasterKey, parseMasterKeys } from "../../../src/crypto/master-key.ts";
import { listenerOptions } from "../../../src/http/server.ts";
import type { ApplicationSettings } from "../../../src/identity/applications/administration.ts";
import { findApplication } from "../../../src/identity/applications/store.ts";
import { setUp } from "../../../src/identity/setup.ts";
import { openStorage } from "../../../src/storage/open.ts";
import { Mailbox, type ReceivedMail } from "../../support/mailbox.ts";

/** One received request. */
export interface Seen {
  method: string;
  path: string;
  origin: string | null;
  authorization: string | null;
}

/** The real appliance in this process, on a real port, with a clock that tests can move. */
export interface Instance extends AsyncDisposable {
  url: string;
  /** The appliance's own port, behind a proxy. */
  port: number;
  applicationId: string;
  seen: Seen[];
  /** Awaited before a request is handled, to simulate a slow network. */
  before: (request: Request) => Promise<void> | void;
  /** Milliseconds by which the appliance's clock is ahead. */
  ahead: number;
  change(changes: Partial<ApplicationSettings>): Promise<void>;
  /** The time of the appliance's clock, in milliseconds. */
  now(): number;
  /** Marks the addresses of all users as proven. */
  prove(): Promise<void>;
  /** The newest mail to an address. It exists before its request is answered. @throws Error if there is none */
  mail(to: string): Promise<ReceivedMail>;
  /** The number of requests for a path, without preflights. */
  count(path: string): number;
}

const ROOMY = { limit_sign_up: "100000/1h", limit_network: "100000/10m", limit_mail_network: "100000/1h" };

/** @param front the address of a proxy in front of the appliance, if there is one */
export async function startInstance(front?: string): Promise<Instance> {
  const clock: Clock = { now: () => systemClock.now() + instance.ahead };
  const mailbox = new Mailbox();
  const storage = await openStorage({ kind: "memory", clock: systemClock });
  const starting = () => new Response(null, { status: 503 });
  const server = Bun.serve({ ...listenerOptions, hostname: "127.0.0.1", port: 0, fetch: starting });
  const url = front ?? `http://localhost:${server.port}`;
  const instance: Instance = {
    url,
    port: server.port ?? 0,
    applicationId: "",
    seen: [],
    before: () => {},
    ahead: 0,
    now: () => clock.now(),
    mail: async (to) => {
      await app.identity.outbox.deliver();
      const mail = mailbox.take(to).at(-1);
      if (!mail) throw new Error(`there is no mail to ${to}`);
      return mail;
    },
    prove: async () => {
      await storage.write((tx) =>
        tx.kysely.updateTable("user_emails").set({ verified_at: 1 }).where("verified_at", "is", null).execute(),
      );
    },
    count: (path) => instance.seen.filter((request) => request.path === path && request.method !== "OPTIONS").length,
    change: async (changes) => {
      const { identity } = app;
      const row = await findApplication(identity.storage.read, instance.applicationId);
      if (!row) throw new Error("the application is gone");
      await identity.storage.write((tx) => identity.applications.change(tx, clock.now(), row, changes));
      identity.directory.forget();
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop(true);
      await storage.close();
    },
  };
  const app = await createApp({
    settings: loadSettings(settings, { env: {}, flags: ROOMY }),
    publicUrl: url,
    storage,
    clock,
    transport: mailbox,
    log: { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} } as never,
    masterKeys: parseMasterKeys(generateMasterKey()),
    version: "0.0.0-test",
  });
  instance.applicationId = (await setUp(app.identity, { origins: [] })).applicationId;
  type Route = (request: Request, server: unknown) => Response | Promise<Response>;
  const watched = (handle: Route) => async (request: Request, own: unknown) => {
    instance.seen.push({
      method: request.method,
      path: new URL(request.url).pathname,
      origin: request.headers.get("origin"),
      authorization: request.headers.get("authorization"),
    });
    await instance.before(request);
    return handle(request, own);
  };
  const routes = Object.entries(app.routes).map(([path, handle]) => [path, watched(handle as unknown as Route)]);
  const fetch = watched(app.fetch as unknown as Route);
  server.reload({ ...listenerOptions, routes: Object.fromEntries(routes), fetch } as never);
  return instance;
}
