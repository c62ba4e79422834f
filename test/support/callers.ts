import type { IssuedTokens } from "../../src/identity/sessions/sessions.ts";
import type { TestApp, TestTenant, TestUser } from "./app.ts";
import type { Client } from "./client.ts";
import { machine, tokenOf } from "./machines.ts";
import { newKey, sign } from "./signed.ts";
import { APP_ORIGIN } from "./template.ts";

/**
 * The subject of a call: a user with two sessions in the test's own application, and the objects that a backend made
 * there.
 */
export interface Subject {
  user: TestUser;
  tokens: IssuedTokens;
  other: IssuedTokens;
  applicationId: string;
  apiKeyId: string;
  resourceId: string;
}

export async function newSubject(app: TestApp): Promise<Subject> {
  const user = await app.user();
  const backend = app.client().bearer(app.secretKey);
  const apiKey = await backend.post("/v1/api-keys", { name: "subject", scopes: ["users:read"] });
  const resource = await backend.post("/v1/resources", { audience: `urn:${crypto.randomUUID()}`, name: "Subject" });
  return {
    user,
    tokens: await app.signIn(user),
    other: await app.signIn(user),
    applicationId: app.applicationId,
    apiKeyId: apiKey.body.id,
    resourceId: resource.body.id,
  };
}

/** One kind of caller, and how it gets its credential. `prefix` goes before the path. */
export interface Caller {
  client: Client;
  prefix?: string;
}

export type CallerKind = keyof typeof callers;

const cookiesOf = (app: TestApp, { tokens }: Subject) => {
  const suffix = `_${app.applicationId.slice(-12)}`;
  return {
    cookie: `sallyport_at${suffix}=${tokens.accessToken}; sallyport_rt${suffix}=${tokens.refreshToken}`,
    "x-application-id": app.applicationId,
  };
};
const foreign = async (app: TestApp, acme: TestTenant) => {
  const user = await app.user(undefined, acme.id);
  return app.signIn(user, acme.applicationId);
};
const expired = async (app: TestApp, { user }: Subject) => {
  const { accessToken } = await app.signIn(user, await app.application({ access_token_ttl: 10 }));
  app.clock.advance(11_000);
  return accessToken;
};

/** All kinds of caller. */
export const callers = {
  nobody: async (app: TestApp) => ({ client: app.client() }),
  "access token": async (app: TestApp, subject: Subject) => ({
    client: app.client().bearer(subject.tokens.accessToken),
  }),
  "own page": async (app: TestApp, subject: Subject) => ({
    client: app.client({ ...cookiesOf(app, subject), origin: APP_ORIGIN, "sec-fetch-site": "cross-site" }),
  }),
  "foreign page": async (app: TestApp, subject: Subject) => ({
    client: app.client({ ...cookiesOf(app, subject), origin: "https://evil.example", "sec-fetch-site": "cross-site" }),
  }),
  "expired access token": async (app: TestApp, subject: Subject) => ({
    client: app.client().bearer(await expired(app, subject)),
  }),
  "ended session": async (app: TestApp, subject: Subject) => {
    const { accessToken } = await app.signIn(subject.user);
    await app.client().bearer(accessToken).post("/v1/auth/logout");
    return { client: app.client().bearer(accessToken) };
  },
  "disabled user": async (app: TestApp) => {
    const { user, tokens } = await app.signedIn();
    await app.disable("users", user.id);
    return { client: app.client().bearer(tokens.accessToken) };
  },
  "refresh token": async (app: TestApp, subject: Subject) => ({
    client: app.client().bearer(subject.tokens.refreshToken),
  }),
  "token for an API resource": async (app: TestApp, subject: Subject) => {
    const id = await app.application({ audiences: ["https://one.example", "https://two.example"] });
    const login = { ...subject.user.login, audience: "https://two.example" };
    const { body } = await app.client({ "x-application-id": id }).post("/v1/auth/login", login);
    return { client: app.client().bearer(body.access_token) };
  },
  "secret key": async (app: TestApp) => ({ client: app.client().bearer(app.secretKey) }),
  "secret key without the scope": async (app: TestApp) => ({
    client: app.client().bearer(await app.newSecretKey({ scopes: ["forward"] })),
  }),
  "M2M token": async (app: TestApp) => {
    const client = await machine(app, { grants: { management: ["admin"] } });
    return { client: app.client().bearer(await tokenOf(app, client)) };
  },
  "M2M token without the scope": async (app: TestApp) => {
    const client = await machine(app, { grants: { management: [] } });
    return { client: app.client().bearer(await tokenOf(app, client)) };
  },
  "customer-signed token": async (app: TestApp) => {
    const client = app.client().bearer(await sign(app, await newKey(app, "signing")));
    await client.get("/v1/me");
    return { client };
  },
  "public token": async (app: TestApp) => {
    const key = await newKey(app, "public");
    const authorization = `Basic ${btoa(`api_key:${key.id}`)}`;
    const path = `/v1/tenants/${app.tenantId}/issuers/public/auth/token`;
    const { body } = await app.client({ authorization }).post(path, { user_id: "42" });
    const client = app.client().bearer(body.access_token);
    await client.get("/v1/me");
    return { client };
  },
  "other tenant's access token, here": async (app: TestApp, _subject: Subject, acme: TestTenant) => ({
    client: app.client().bearer((await foreign(app, acme)).accessToken),
    prefix: "/t/default",
  }),
  "other tenant's secret key, here": async (app: TestApp, _subject: Subject, acme: TestTenant) => ({
    client: app.client().bearer(acme.secretKey),
    prefix: "/t/default",
  }),
  "other tenant's access token, anywhere": async (app: TestApp, _subject: Subject, acme: TestTenant) => ({
    client: app.client().bearer((await foreign(app, acme)).accessToken),
  }),
  "other tenant's secret key, anywhere": async (app: TestApp, _subject: Subject, acme: TestTenant) => ({
    client: app.client().bearer(acme.secretKey),
  }),
} satisfies Record<string, (app: TestApp, subject: Subject, acme: TestTenant) => Promise<Caller>>;
