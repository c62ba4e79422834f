import { expect, test } from "bun:test";
import type { Access } from "../../src/rpc/gate.ts";
import { type Callable, proceduresOf } from "../../src/rpc/invoke.ts";
import { startApp, type TestApp, type TestTenant } from "../support/app.ts";
import { type Caller, type CallerKind, callers, newSubject, type Subject } from "../support/callers.ts";
import type { Answer } from "../support/client.ts";
import {
  add,
  callerOf,
  changeAddress,
  deletedAccount,
  deletePassword,
  forgot,
  giveEmail,
  makeAnonymous,
  session,
  setApplication,
  signUp,
  unprove,
  verifyPrimary,
} from "../support/mail-proofs.ts";
import { allowMail, mailedLink } from "../support/mailed-links.ts";
import { allowAnonymous, trustDevice } from "../support/own-affairs.ts";
import { addPasskey, beginRegistration, beginSignIn, newAuthenticator } from "../support/passkeys.ts";
import { scenarios } from "../support/scenarios.ts";
import { giveTotp, raise } from "../support/second-factors.ts";
import { totp } from "../support/totp.ts";

/** Signs the subject in with both factors. */
async function withSecondFactor({ user, tokens }: Subject, app: TestApp): Promise<undefined> {
  await giveTotp(app, user);
  await raise(app, tokens.session.sid);
}

/** Gives the subject a passkey from the appliance's own page, and a session that has proven it. */
async function withPasskey({ tokens }: Subject, app: TestApp) {
  const authenticator = newAuthenticator({ origin: app.publicUrl });
  const passkey = await addPasskey(app.client().bearer(tokens.accessToken), authenticator);
  await raise(app, tokens.session.sid);
  return { authenticator, passkey };
}

/** An input that succeeds, for each procedure. The first test fails for a new procedure without an input. */
type Input = Record<string, unknown> | undefined;
const inputs: Record<
  string,
  (subject: Subject, app: TestApp, kind: CallerKind, caller: Caller) => Input | Promise<Input>
> = {
  "auth.register": () => ({ email: `new-${crypto.randomUUID()}@example.com`, password: "walnut-bridge-otter-51" }),
  "auth.completeRegistration": async (_, app, kind) => ({
    password: "granite-lantern-moth-88",
    token: (await signUp(app, undefined, applicationOf(app, kind))).token,
  }),
  "auth.upgrade": async ({ user }, app) => {
    await makeAnonymous(app, user);
    return { email: user.email, password: "walnut-bridge-otter-51" };
  },
  "auth.password.forgot": ({ user }) => ({ email: user.email }),
  "auth.password.reset": async ({ user }, app, kind) => {
    await app.mails(user.email);
    const { token } = await forgot(app, user.email, applicationOf(app, kind));
    return { token, new_password: "granite-lantern-moth-88" };
  },
  "auth.email.proof": async ({ user }, app) => {
    await unprove(app, user);
    return {};
  },
  "auth.email.verify": async ({ user }, app, kind) => {
    const id = applicationOf(app, kind);
    const { token } = await add(app, await session(app, user, id));
    // Of these callers, few have a session of the account. The token of a half sign-in takes its place.
    await setApplication(app, id, { mfa: "required" });
    const { body } = await callerOf(app, id).post("/v1/auth/login", user.login);
    await setApplication(app, id, { mfa: "optional" });
    return { token, mfa_token: body.mfa_token };
  },
  "auth.account.restore": async (_, app, kind) => ({
    token: await deletedAccount(app, applicationOf(app, kind)),
  }),
  "auth.email.undo": async ({ user }, app, kind) => {
    await verifyPrimary(app, user);
    return { token: await changeAddress(app, user, undefined, applicationOf(app, kind)) };
  },
  "me.password.set": async ({ user }, app) => {
    await deletePassword(app, user);
    return { new_password: "granite-lantern-moth-88" };
  },
  "me.emails.list": () => ({ limit: 5 }),
  "me.emails.add": () => ({ email: `more-${crypto.randomUUID()}@example.com` }),
  "me.emails.verify": async ({ user }, app) => ({ id: await giveEmail(app, user, undefined, false) }),
  "me.emails.makePrimary": async ({ user }, app) => ({ id: await giveEmail(app, user) }),
  "me.emails.remove": async ({ user }, app) => ({ id: await giveEmail(app, user) }),
  "auth.login": ({ user }) => user.login,
  "auth.anonymous": async (_, app) => {
    await allowAnonymous(app);
    return { metadata: { theme: "dark" } };
  },
  "auth.email.start": async ({ user }, app) => {
    await allowMail(app);
    return { email: user.email, method: "magic_link" };
  },
  "auth.email.complete": ({ user }, app, kind) => mailedLink(app, user, applicationOf(app, kind)),
  "auth.describeLink": async ({ user }, app, kind) => ({
    token: (await mailedLink(app, user, applicationOf(app, kind))).token,
  }),
  "auth.refresh": ({ tokens }) => ({ refresh_token: tokens.refreshToken }),
  "auth.logout": () => ({ all: false }),
  "auth.session": () => undefined,
  "auth.sessions.list": () => ({ limit: 5 }),
  "auth.sessions.revoke": ({ other }) => ({ id: other.session.sid }),
  "auth.sessions.revokeOthers": () => undefined,
  "auth.password.change": ({ user }) => ({
    current_password: user.login.password,
    new_password: "granite-lantern-moth-88",
  }),
  "auth.mfa.setup": () => ({}),
  "auth.mfa.enable": async ({ tokens }, app) => {
    const { body } = await app.client().bearer(tokens.accessToken).post("/v1/auth/mfa/setup");
    return { code: totp(body.secret ?? "", app.clock.now()) };
  },
  "auth.mfa.challenge": () => ({}),
  "auth.mfa.verify": async ({ user }, app) => ({
    method: "totp",
    code: totp(await giveTotp(app, user), app.clock.now()),
  }),
  "auth.mfa.recoveryCodes": withSecondFactor,
  "auth.mfa.disable": withSecondFactor,
  "auth.passkey.begin": () => ({}),
  "auth.passkey.complete": async (subject, app, _, { client, prefix = "" }) => {
    const { authenticator } = await withPasskey(subject, app);
    // A challenge belongs to the application of this caller. A caller that may not ask gets a foreign challenge.
    const begun = await beginSignIn(client, prefix).catch(() => beginSignIn(app.client()));
    return { flow_id: begun.flow_id, response: authenticator.get(begun.public_key) };
  },
  "me.passkeys.list": () => ({ limit: 5 }),
  "me.passkeys.begin": () => ({}),
  "me.passkeys.complete": async ({ tokens }, app) => {
    const { flow_id, public_key } = await beginRegistration(app.client().bearer(tokens.accessToken));
    return { flow_id, response: newAuthenticator({ origin: app.publicUrl }).create(public_key) };
  },
  "me.passkeys.rename": async (subject, app) => ({ id: (await withPasskey(subject, app)).passkey.id, name: "Another" }),
  "me.passkeys.remove": async (subject, app) => ({ id: (await withPasskey(subject, app)).passkey.id }),
  "me.get": () => undefined,
  "me.update": () => ({ display_name: "Another" }),
  "me.security": () => undefined,
  "me.export": () => undefined,
  "me.trustedDevices.list": () => ({ limit: 5 }),
  "me.trustedDevices.remove": async ({ user, applicationId }, app) => ({
    id: await trustDevice(app, user.id, { applicationId }),
  }),
  "me.delete": () => undefined,
  "users.list": () => ({ limit: 5 }),
  "users.create": () => ({ email: `new-${crypto.randomUUID()}@example.com` }),
  "users.get": ({ user }) => ({ id: user.id }),
  "users.update": ({ user }) => ({ id: user.id, display_name: "Another" }),
  "users.delete": ({ user }) => ({ id: user.id }),
  "sessions.list": () => ({ limit: 5 }),
  "sessions.get": ({ other }) => ({ id: other.session.sid }),
  "sessions.revoke": ({ other }) => ({ id: other.session.sid }),
  "apiKeys.list": () => ({ limit: 5 }),
  "apiKeys.create": () => ({ name: "another", scopes: ["users:read"] }),
  "apiKeys.get": ({ apiKeyId }) => ({ id: apiKeyId }),
  "apiKeys.revoke": ({ apiKeyId }) => ({ id: apiKeyId }),
  "apiKeys.rotate": ({ apiKeyId }) => ({ id: apiKeyId, overlap_seconds: 0 }),
  "applications.list": () => ({ limit: 5 }),
  "applications.get": ({ applicationId }) => ({ id: applicationId }),
  "resources.list": () => ({ limit: 5 }),
  "resources.create": () => ({ audience: `urn:${crypto.randomUUID()}`, name: "Another" }),
  "resources.get": ({ resourceId }) => ({ id: resourceId }),
  "resources.update": ({ resourceId }) => ({ id: resourceId, name: "Renamed" }),
  "resources.delete": ({ resourceId }) => ({ id: resourceId }),
};

/** Returns the application of a public procedure: the key's own, the page's, or else the default one. */
function applicationOf(app: TestApp, kind: CallerKind): string {
  const isOwn = kind === "own page" || kind === "secret key" || kind === "secret key without the scope";
  return isOwn ? app.applicationId : app.defaultApplicationId;
}

const everybody = Object.keys(callers) as CallerKind[];
const but = (...refused: CallerKind[]) => everybody.filter((kind) => !refused.includes(kind));

/** The callers that succeed, for each kind of access. All others are refused: default deny (ASVS 8.2.1). */
const admitted: Record<Access["kind"], readonly CallerKind[]> = {
  // A bearer token other than a secret key has no effect here. The proof is in the body.
  public: but("foreign page", "other tenant's secret key, here"),
  session: ["access token", "own page"],
  "flow-or-session": ["access token", "own page"],
  "sign-out": [
    "access token",
    "own page",
    "expired access token",
    "ended session",
    "disabled user",
    "token for an API resource",
  ],
  "end-user": ["access token", "own page", "customer-signed token", "public token"],
  key: ["secret key", "M2M token"],
};
/** Objects of one application. An M2M client is another application, and finds no such object by its id. */
const OF_APPLICATION = /^(?:apiKeys|sessions|applications)\.(?:get|revoke|rotate)$/;

function isAdmitted(kind: CallerKind, name: string, access: Access): boolean {
  if (kind === "M2M token" && OF_APPLICATION.test(name)) return false;
  // Anyone can get a public token, so it may only read.
  if (kind === "public token" && access.kind === "end-user" && access.scope !== "public") return false;
  return admitted[access.kind].includes(kind);
}
/** Callers whose request succeeds, but only on their own tenant's objects. */
const elsewhere: readonly CallerKind[] = [
  "other tenant's access token, anywhere",
  "other tenant's secret key, anywhere",
];

const transports = ["rest", "trpc"] as const;

function call(
  name: string,
  procedure: Callable,
  transport: (typeof transports)[number],
  caller: Caller,
  input: Input,
): Promise<Answer> {
  const { client, prefix = "" } = caller;
  const { meta, type } = procedure._def;
  if (transport === "trpc") {
    if (type === "mutation")
      return client.send("POST", `${prefix}/trpc/${name}`, input === undefined ? {} : { json: input });
    const query = input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`;
    return client.get(`${prefix}/trpc/${name}${query}`);
  }
  const { method, path } = meta?.rest ?? { method: "", path: "" };
  const rest = { ...input };
  const full =
    prefix +
    path.replace(/\{(\w+)\}/, (_, key: string) => {
      const value = String(rest[key]);
      delete rest[key];
      return value;
    });
  if (method === "POST" || method === "PATCH") return client.send(method, full, { json: rest });
  const query = new URLSearchParams(Object.entries(rest).map(([key, value]) => [key, String(value)])).toString();
  return client.send(method, query === "" ? full : `${full}?${query}`);
}

/** Returns the lines of the state that do not contain `tenantId`. */
const withoutTenant = (state: string, tenantId: string) =>
  state
    .split("\n")
    .filter((line) => !line.includes(tenantId))
    .join("\n");

/** Whether the page may send a read without being able to read the answer: a page of another site. */
function isBlind(kind: CallerKind, { _def: { meta, type } }: Callable): boolean {
  return kind === "foreign page" && type === "query" && ["session", "end-user"].includes(meta?.access.kind ?? "");
}

/** Tries calls that succeed, each with its own subject, which it may change. */
async function trySuccess(app: TestApp, name: string, procedure: Callable, kind: CallerKind, acme: TestTenant) {
  for (const transport of transports) {
    const subject = await newSubject(app);
    const caller = await callers[kind](app, subject, acme);
    const input = await inputs[name]?.(subject, app, kind, caller);
    const answer = await call(name, procedure, transport, caller, input);
    const place = `${kind} at ${name} by ${transport}: ${answer.status}`;
    expect([place, answer.status < 300]).toEqual([place, true]);
    if (!isBlind(kind, procedure)) continue;
    expect([place, answer.headers.get("access-control-allow-origin")]).toEqual([place, null]);
  }
}

/**
 * Tries calls that are refused. The callers share a subject and an input that would succeed, and neither may change.
 */
async function tryRefusals(
  app: TestApp,
  name: string,
  procedure: Callable,
  kinds: readonly CallerKind[],
  acme: TestTenant,
): Promise<void> {
  const subject = await newSubject(app);
  const made: [CallerKind, Caller][] = [];
  for (const kind of kinds) made.push([kind, await callers[kind](app, subject, acme)]);
  const [kind, caller] = made[0] ?? [];
  if (!kind || !caller) return;
  const input = await inputs[name]?.(subject, app, kind, caller);
  const before = await app.state();
  for (const transport of transports) {
    for (const [kind, caller] of made) {
      const answer = await call(name, procedure, transport, caller, input);
      const place = `${kind} at ${name} by ${transport}: ${answer.status}`;
      expect([place, [400, 401, 403, 404].includes(answer.status)]).toEqual([place, true]);
      expect([place, answer.cookies]).toEqual([place, []]);
      expect([place, await app.state()]).toEqual([place, before]);
    }
  }
}

/**
 * Tries calls that affect only the caller's own tenant.
 * @returns whether a call succeeded
 */
async function tryElsewhere(app: TestApp, name: string, procedure: Callable, kind: CallerKind, acme: TestTenant) {
  let succeeded = false;
  for (const transport of transports) {
    const subject = await newSubject(app);
    const caller = await callers[kind](app, subject, acme);
    const input = await inputs[name]?.(subject, app, kind, caller);
    const before = await app.state();
    const answer = await call(name, procedure, transport, caller, input);
    const place = `${kind} at ${name} by ${transport}: ${answer.status}`;
    const ok = answer.status < 300;
    succeeded ||= ok;
    if (procedure._def.meta?.access.kind !== "public") {
      expect([place, withoutTenant(await app.state(), acme.id)]).toEqual([place, withoutTenant(before, acme.id)]);
    }
    if (name === "auth.sessions.revoke") expect([place, ok]).toEqual([place, false]);
  }
  return succeeded;
}

async function tryEverybody(app: TestApp, name: string, procedure: Callable): Promise<void> {
  const acme = await app.tenant("acme");
  const { meta } = procedure._def;
  if (!meta) throw new Error(`${name} states no access`);
  const here = everybody.filter((kind) => !elsewhere.includes(kind));
  const succeeds = (kind: CallerKind) => isAdmitted(kind, name, meta.access) || isBlind(kind, procedure);
  const refused = here.filter((kind) => !succeeds(kind));
  for (const kinds of Map.groupBy(refused, (kind) => applicationOf(app, kind)).values()) {
    await tryRefusals(app, name, procedure, kinds, acme);
  }
  let succeeded = false;
  for (const kind of here.filter(succeeds)) {
    await trySuccess(app, name, procedure, kind, acme);
    succeeded = true;
  }
  for (const kind of elsewhere) succeeded = (await tryElsewhere(app, name, procedure, kind, acme)) || succeeded;
  expect([name, succeeded]).toEqual([name, true]);
}

const probe = await startApp();
const procedures = proceduresOf(probe.app.router);
await probe.close();

test("every procedure has an input here, states its access, and has a route", () => {
  for (const [name, { _def }] of Object.entries(procedures)) {
    expect([name, name in inputs]).toEqual([name, true]);
    expect([name, Object.keys(admitted)]).toEqual([name, expect.arrayContaining([_def.meta?.access.kind])]);
    expect([name, _def.meta?.rest?.path]).toEqual([name, expect.stringMatching(/^\/v1\//)]);
  }
  expect(Object.keys(inputs).filter((name) => !(name in procedures))).toEqual([]);
});

scenarios("every route, every kind of caller (ASVS 8.2.1, 8.2.2, 8.3.1, 8.4.1)", (t) => {
  for (const [name, procedure] of Object.entries(procedures)) {
    t.test(name, (app) => tryEverybody(app, name, procedure), {
      settings: {
        limit_sign_up: "1000/1m",
        limit_anonymous: "1000/1m",
        limit_network: "1000/1m",
        limit_mail_network: "1000/1m",
      },
    });
  }
});
