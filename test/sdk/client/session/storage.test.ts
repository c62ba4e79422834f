import { expect, test } from "bun:test";
import {
  createClient,
  createSession,
  SallyportError,
  type SallyportSession,
  type SessionState,
  type SessionStorage,
} from "../../../../src/sdk/client/index.ts";
import type { TestApp } from "../../../support/app.ts";
import { scenarios } from "../../../support/scenarios.ts";

const NEWCOMER = { email: "ada@example.com", password: "five tame otters hum at dawn" };

/** A secure store that can fail, and remembers in which order it and the network were used. */
class Store implements SessionStorage {
  readonly values = new Map<string, string>();
  /** The methods that fail. */
  readonly broken = new Set<"get" | "set" | "delete">();

  constructor(private readonly log: string[] = []) {}

  async get(key: string) {
    this.#use("get");
    return this.values.get(key) ?? null;
  }

  async set(key: string, value: string) {
    this.#use("set");
    this.values.set(key, value);
  }

  async delete(key: string) {
    this.#use("delete");
    this.values.delete(key);
  }

  get refreshToken(): string | undefined {
    return [...this.values].find(([key]) => key.endsWith(".refresh"))?.[1];
  }

  set refreshToken(token: string | undefined) {
    const [key] = [...this.values.keys()].filter((name) => name.endsWith(".refresh"));
    if (key === undefined || token === undefined) throw new Error("no token is stored");
    this.values.set(key, token);
  }

  #use(method: "get" | "set" | "delete") {
    if (this.broken.has(method)) throw new Error("the keychain is locked");
    if (method !== "get") this.log.push(method);
  }
}

/** A phone: its store outlives the app, and its network can be cut. */
class Phone {
  readonly log: string[] = [];
  readonly store = new Store(this.log);
  readonly requests: { path: string; init: RequestInit }[] = [];
  isOffline = false;
  /** Hands the next answer to nobody: the app was killed while it waited. */
  losesAnswers = false;
  readonly #running: SallyportSession[] = [];

  constructor(
    private readonly app: TestApp,
    private readonly applicationId: string,
  ) {}

  /** Starts the app, once more if it runs already. */
  start(): SallyportSession {
    const fetch = async (url: string, init: RequestInit = {}) => {
      const { pathname } = new URL(url);
      this.log.push(pathname);
      this.requests.push({ path: pathname, init });
      if (this.isOffline) throw new TypeError("offline");
      const response = await globalThis.fetch(url, init);
      if (this.losesAnswers) throw new TypeError("the answer is lost");
      return response;
    };
    const client = createClient({ url: this.app.url, applicationId: this.applicationId, fetch });
    const session = createSession(client, { storage: this.store });
    this.#running.push(session);
    return session;
  }

  [Symbol.dispose]() {
    for (const session of this.#running) session.close();
  }
}

/** Waits for a state. @throws Error after ten seconds */
async function until(session: SallyportSession, holds: (state: SessionState) => boolean): Promise<SessionState> {
  for (let turn = 0; turn < 1_000 && !holds(session.state); turn++) await Bun.sleep(10);
  if (!holds(session.state)) throw new Error(`the state is ${JSON.stringify(session.state)}`);
  return session.state;
}

const isSettled = ({ status }: SessionState) => status !== "loading";

async function signedUp(phone: Phone): Promise<SallyportSession> {
  const session = phone.start();
  await until(session, isSettled);
  await session.signUp(NEWCOMER);
  return session;
}

async function codeOf(promise: Promise<unknown>): Promise<string | null> {
  return promise.then(
    () => null,
    (error: unknown) => (error instanceof SallyportError ? error.code : String(error)),
  );
}

const isAlive = async (app: TestApp, sid: string | undefined) =>
  (await app.storage.read.kysely.selectFrom("sessions").select(["id", "ended_at"]).execute()).some(
    (row) => row.id === sid && row.ended_at === null,
  );

scenarios("a session in an app with its own storage", (t) => {
  t.test("signs up, and is signed in after a restart of the app", async (app) => {
    using phone = new Phone(app, await app.application());
    const first = phone.start();
    expect(await until(first, isSettled)).toMatchObject({ status: "signed-out", reason: "none", error: null });
    expect(phone.requests).toEqual([]);
    expect(await first.signUp(NEWCOMER)).toMatchObject({ status: "success" });
    const sid = first.state.session?.sid;
    first.close();
    const second = phone.start();
    expect(await until(second, isSettled)).toMatchObject({ status: "signed-in", user: { email: NEWCOMER.email } });
    expect(second.state.session?.sid).toBe(sid as string);
    expect((await second.client.auth.session.query()).user.email).toBe(NEWCOMER.email);
    expect((await second.fetch(`${app.url}/v1/auth/session`)).status).toBe(200);
    expect(phone.requests.map(({ init }) => init.credentials)).toEqual(phone.requests.map(() => "omit"));
    // The access token is in memory only.
    expect([...phone.store.values.values()]).not.toContain((await second.getAccessToken()) ?? "");
    for (const key of phone.store.values.keys()) expect(key).toMatch(/^[\w.-]+$/);
  });

  t.test("stores each new refresh token before it uses it", async (app) => {
    using phone = new Phone(app, await app.application());
    const session = await signedUp(phone);
    phone.log.length = 0;
    const seen = new Set([phone.store.refreshToken]);
    for (let turn = 0; turn < 3; turn++) {
      await session.refresh();
      seen.add(phone.store.refreshToken);
    }
    expect(seen.size).toBe(4);
    expect(phone.log).toEqual([1, 2, 3].flatMap(() => ["/v1/auth/refresh", "set"]));
  });

  t.test("loses nothing when the app is killed before it stored the new token", async (app) => {
    using phone = new Phone(app, await app.application());
    const session = await signedUp(phone);
    const before = phone.store.refreshToken;
    phone.losesAnswers = true;
    expect(await codeOf(session.refresh())).toBe("unreachable");
    session.close();
    phone.losesAnswers = false;
    expect(phone.store.refreshToken).toBe(before as string);
    app.clock.advance(100_000);
    const restarted = phone.start();
    expect(await until(restarted, isSettled)).toMatchObject({ status: "signed-in" });
    await restarted.refresh();
    expect(restarted.state.status).toBe("signed-in");
  });

  t.test("ends when a stolen old token is used, and forgets its token", async (app) => {
    using phone = new Phone(app, await app.application());
    const session = await signedUp(phone);
    const stolen = phone.store.refreshToken;
    await session.refresh();
    await session.refresh();
    const thief = await fetch(`${app.url}/v1/auth/refresh`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ refresh_token: stolen }),
    });
    expect(thief.status).toBe(401);
    await session.refresh();
    expect(session.state).toMatchObject({ status: "signed-out", reason: "ended" });
    expect(phone.store.refreshToken).toBeUndefined();
  });

  t.test("signs out, and stays so after a restart", async (app) => {
    using phone = new Phone(app, await app.application());
    const session = await signedUp(phone);
    const sid = session.state.session?.sid;
    await session.signOut();
    expect(session.state).toMatchObject({ status: "signed-out", reason: "sign-out" });
    expect([...phone.store.values]).toEqual([]);
    expect(await isAlive(app, sid)).toBe(false);
    expect(await until(phone.start(), isSettled)).toMatchObject({ status: "signed-out" });
  });

  t.test("signs out without a network, and tells the appliance later", async (app) => {
    using phone = new Phone(app, await app.application());
    const session = await signedUp(phone);
    const sid = session.state.session?.sid;
    phone.isOffline = true;
    await session.signOut();
    expect(session.state).toMatchObject({ status: "signed-out", reason: "sign-out" });
    expect(phone.store.refreshToken).toBeUndefined();
    expect(await isAlive(app, sid)).toBe(true);
    session.close();
    const restarted = phone.start();
    expect(await until(restarted, isSettled)).toMatchObject({ status: "signed-out" });
    phone.isOffline = false;
    // By its own schedule, without a restart.
    for (let turn = 0; turn < 1_000 && (await isAlive(app, sid)); turn++) await Bun.sleep(10);
    expect(await isAlive(app, sid)).toBe(false);
    for (let turn = 0; turn < 100 && phone.store.values.size > 0; turn++) await Bun.sleep(10);
    expect([...phone.store.values]).toEqual([]);
    expect(restarted.state).toMatchObject({ status: "signed-out" });
  });

  t.test("signs out without a network before the first answer, and another user can sign in", async (app) => {
    const next = await app.user();
    using phone = new Phone(app, await app.application());
    const session = await signedUp(phone);
    const sid = session.state.session?.sid;
    session.close();
    phone.isOffline = true;
    const restarted = phone.start();
    await until(restarted, ({ error }) => error !== null);
    await restarted.signOut();
    phone.isOffline = false;
    await restarted.signIn(next.login);
    expect(await isAlive(app, sid)).toBe(false);
    restarted.close();
    expect(await until(phone.start(), isSettled)).toMatchObject({ status: "signed-in", user: { email: next.email } });
  });

  t.test("names a failing store, and loses no session by it", async (app) => {
    using phone = new Phone(app, await app.application());
    const session = await signedUp(phone);
    const sid = session.state.session?.sid;
    phone.store.broken.add("set");
    await session.refresh();
    expect(session.state).toMatchObject({ status: "signed-in", error: { code: "storage_failed" } });
    expect(session.state.error?.message).toContain("set: the keychain is locked");
    const before = phone.requests.length;
    expect(await codeOf(session.refresh())).toBe("storage_failed");
    expect(phone.requests.length).toBe(before);
    expect(await codeOf(session.signOut())).toBe("storage_failed");
    expect(session.state.status).toBe("signed-in");
    phone.store.broken.clear();
    // Its own schedule stores the token.
    expect(await until(session, ({ error }) => error === null)).toMatchObject({ status: "signed-in" });
    session.close();
    phone.store.broken.add("get");
    const restarted = phone.start();
    expect(await until(restarted, ({ error }) => error !== null)).toMatchObject({
      status: "loading",
      error: { code: "storage_failed" },
    });
    phone.store.broken.clear();
    expect(await until(restarted, isSettled)).toMatchObject({ status: "signed-in" });
    expect(restarted.state.session?.sid).toBe(sid as string);
  });

  t.test("keeps the session when the store cannot delete its token", async (app) => {
    using phone = new Phone(app, await app.application());
    const session = await signedUp(phone);
    phone.store.broken.add("delete");
    expect(await codeOf(session.signOut())).toBe("storage_failed");
    expect(await isAlive(app, session.state.session?.sid)).toBe(true);
    expect(session.state.status).toBe("signed-in");
  });

  t.test("shares one lock and one user with the other sessions of its process", async (app) => {
    using phone = new Phone(app, await app.application());
    const [one, other] = [await signedUp(phone), phone.start()];
    await until(other, isSettled);
    phone.log.length = 0;
    await Promise.all([one.refresh(), other.refresh(), one.refresh()]);
    expect(phone.log).toEqual(["/v1/auth/refresh", "set", "/v1/auth/refresh", "set"]);
    await one.signOut();
    expect(other.state).toMatchObject({ status: "signed-out", reason: "sign-out" });
  });
});

test("a storage without its methods is refused at construction", () => {
  const client = createClient({ url: "http://localhost:8080", applicationId: "app_01HWY4MYSEFGESW2GZ5CY4TQKF" });
  const storage = { get: () => null, set: () => {} } as unknown as SessionStorage;
  expect(() => createSession(client, { storage })).toThrow("has no delete");
});
