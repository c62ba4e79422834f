import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { toPrefixedId } from "../../src/core/ids.ts";
import { type Prepared, prepare, type Running, sallyport, start, tidy } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { call, jwks, PASSWORD, refresh, session, signUp } from "../support/people.ts";

/** Runs commands beside a server on the same data, which follows their changes by itself. */
let made: Prepared;
let server: Running;

beforeAll(async () => {
  made = await prepare();
  server = await start(["serve", "--port", "0"], { env: made.env });
});
setDefaultTimeout(120_000);
afterAll(tidy);

async function json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const ran = await sallyport([...args, "--json"], { env: made.env });
  if (ran.code !== 0) throw new Error(`${args.join(" ")} ended with ${ran.code}: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as T;
}

interface Application {
  id: string;
  prefixed_id: string;
  is_default: boolean;
  disabled: boolean;
  origins: string[];
  algorithm: string;
  secret_key: string | null;
}

interface Key {
  kid: string;
  algorithm: string;
  state: string;
  published_until: string | null;
}

function auditActions(): string[] {
  const database = new Database(join(made.data, "sallyport.db"), { readonly: true });
  const rows = database.query<{ action: string }, []>("SELECT action FROM audit_entries ORDER BY seq").all();
  database.close();
  return rows.map((row) => row.action);
}

test("a tenant has its own issuer, users and secret key", async () => {
  const tenant = await json<Record<string, string>>("tenant", "create", "acme", "--name", "Acme", "--secret-key");
  const url = `${server.url}/t/acme`;
  await eventually(async () => expect((await signUp(url, "ada@acme.example")).status).toBe(201));
  const bearer = tenant.secret_key ?? "";
  const there = await call(server.url, "/v1/users", { bearer });
  expect(there.body.data.map((user) => user.email)).toEqual(["ada@acme.example"]);
  const here = await call(server.url, "/v1/users", { bearer: made.secretKey });
  expect(here.body.data).toEqual([]);
  const list = await json<{ data: { slug: string }[] }>("tenant", "list");
  expect(list.data.map(({ slug }) => slug)).toEqual(["default", "acme"]);
  expect(auditActions()).toContain("tenant.created");
});

test("creates an application, shows it by either form of its id, and changes it", async () => {
  const app = await json<Application>(
    "app",
    "create",
    "--name",
    "Shop",
    "--type",
    "spa",
    "--origin",
    "https://a.example",
  );
  expect(app).toMatchObject({ origins: ["https://a.example"], algorithm: "EdDSA", secret_key: null });
  expect(app.prefixed_id).toBe(toPrefixedId("application", app.id));
  expect(await json<Application>("app", "show", app.prefixed_id)).toMatchObject({ id: app.id });
  const set = (...args: string[]) => json<Application>("app", "set", app.id, ...args);
  expect(await set("--add-origin", "https://b.example")).toMatchObject({
    origins: ["https://a.example", "https://b.example"],
  });
  expect(
    await set("--remove-origin", "https://a.example", "--access-token-ttl", "5m", "--sign-up", "closed"),
  ).toMatchObject({ origins: ["https://b.example"], access_token_ttl: 300, sign_up: "closed" });
  expect(await set("--origin", "")).toMatchObject({ origins: [] });
  expect(await set("--algorithm", "ES256")).toMatchObject({ algorithm: "ES256" });
  const keys = await jwks(server.url, `/v1/applications/${app.id}/.well-known/jwks.json`);
  expect(keys.status).toBe(200);
  await eventually(async () => {
    const { body } = await jwks(server.url, `/v1/applications/${app.id}/.well-known/jwks.json`);
    expect(body.keys.map((key) => key.alg)).toEqual(["ES256"]);
  });
  expect(auditActions().filter((action) => action === "application.changed")).toHaveLength(4);
});

test("a disabled application refuses sign-ins and its tokens, until it is enabled again", async () => {
  const app = await json<Application>("app", "create", "--name", "Off and on");
  const body = { email: "off@example.com", password: PASSWORD };
  const register = () =>
    fetch(`${server.url}/v1/auth/register`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-application-id": app.id },
      body: JSON.stringify(body),
    });
  const tokens = (await (await register()).json()) as { access_token: string; refresh_token: string };
  expect((await session(server.url, tokens.access_token)).status).toBe(200);
  await json("app", "set", app.prefixed_id, "--disable");
  await eventually(async () => expect((await session(server.url, tokens.access_token)).status).toBe(401));
  await eventually(async () => expect((await refresh(server.url, tokens.refresh_token)).status).toBe(401));
  expect((await register()).status).toBe(400);
  const revocations = await call(server.url, "/v1/revocations");
  expect(revocations.body.data.map((entry) => entry.kind)).toContain("application");
  await json("app", "set", app.prefixed_id, "--enable");
  await eventually(async () => expect((await refresh(server.url, tokens.refresh_token)).status).toBe(200));
  expect(auditActions()).toEqual(expect.arrayContaining(["application.disabled", "application.enabled"]));
});

test("another application can become the default, but a disabled one cannot", async () => {
  const app = await json<Application>("app", "create", "--name", "New default", "--algorithm", "RS256", "--default");
  expect(app.is_default).toBe(true);
  const old = await json<Application>("app", "show", made.defaultApplicationId);
  expect(old.is_default).toBe(false);
  await json("app", "set", old.id, "--disable");
  const disabledAt = Date.now();
  const refused = await sallyport(["app", "set", old.id, "--default"], { env: made.env });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("Enable it first") });
  await json("app", "set", old.id, "--enable", "--default");
  expect(auditActions()).toContain("tenant.default_changed");
  // A token of the second in which the application was disabled is refused for good. The next test makes one later.
  await eventually(async () => expect(Date.now()).toBeGreaterThan(disabledAt + 2_000));
});

test("a rotated key is published at once and signs later, or at once with --now; old tokens stay valid", async () => {
  const before = await signUp(server.url, "keys@example.com");
  expect(before).toMatchObject({ status: 201 });
  const current = (await json<{ data: Key[] }>("keys", "list", "--tenant", "default")).data;
  expect(current.filter(({ algorithm }) => algorithm === "RS256").map(({ state }) => state)).toEqual(["current"]);
  const coming = (await json<{ data: Key[] }>("keys", "rotate", "--algorithm", "RS256")).data;
  expect(coming.map(({ state, algorithm }) => [state, algorithm])).toEqual([["coming", "RS256"]]);
  await eventually(async () => {
    const { body } = await jwks(server.url);
    expect(body.keys.map(({ kid }) => kid)).toContain(coming[0]?.kid ?? "none");
  });
  const meanwhile = await refresh(server.url, before.body.refresh_token);
  expect(meanwhile).toMatchObject({ status: 200 });
  expect(kidOf(meanwhile.body.access_token)).toBe(kidOf(before.body.access_token));
  const emergency = (await json<{ data: Key[] }>("keys", "rotate", "--algorithm", "RS256", "--now")).data;
  let token = meanwhile.body.refresh_token;
  const signed = await eventually(async () => {
    const { body } = await refresh(server.url, token);
    token = body.refresh_token;
    expect(kidOf(body.access_token)).toBe(emergency[0]?.kid as string);
    return body.access_token;
  });
  expect((await session(server.url, signed)).status).toBe(200);
  expect((await session(server.url, before.body.access_token)).status).toBe(200);
  const after = (await json<{ data: Key[] }>("keys", "list", "--tenant", "default")).data;
  const states = after.filter(({ algorithm }) => algorithm === "RS256").map(({ state }) => state);
  expect(states.sort()).toEqual(["current", "retiring", "retiring"]);
});

function kidOf(token: string): string {
  const [header = ""] = token.split(".");
  return (JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string }).kid;
}

/** Commands that are refused: each prints a sentence, exits with 1, and changes nothing. */
const refusals: [args: string[], says: RegExp][] = [
  [["tenant", "create", "Acme Inc"], /slug must be 1 to 63 lower-case/],
  [["tenant", "create", "default"], /A tenant default already exists/],
  [["app", "create", "--name", "x", "--tenant", "nosuch"], /no tenant nosuch.*tenant list/],
  [["app", "create", "--name", "x", "--type", "desktop"], /type.*spa/],
  [["app", "create", "--name", "x", "--algorithm", "HS256"], /algorithm/],
  [["app", "create", "--name", "x", "--origin", "https://a.example/path"], /without a path/],
  [["app", "create", "--name", "x", "--origin", "null"], /origins/],
  [["app", "create", "--name", "x", "--access-token-ttl", "2d"], /access_token_ttl/],
  [["app", "create", "--name", "x", "--refresh-idle-ttl", "2d", "--refresh-absolute-ttl", "1d"], /refresh_idle_ttl/],
  [["app", "create", "--name", "x", "--refresh-cookie-path", "v1"], /refresh_cookie_path/],
  [["app", "show", "nosuch"], /not an application id/],
  [["app", "show", "usr_01HWY4MYSEFGESW2GZ5CY4TQKF"], /not an application id/],
  [["app", "show", "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f"], /There is no application/],
  [["app", "set", "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f", "--name", "x"], /There is no application/],
  [["keys", "rotate", "--tenant", "nosuch"], /no tenant nosuch/],
];

test("a refused command changes nothing", async () => {
  const before = auditActions();
  for (const [args, says] of refusals) {
    const ran = await sallyport(args, { env: made.env });
    expect({ args, code: ran.code, stdout: ran.stdout }).toEqual({ args, code: 1, stdout: "" });
    expect(ran.stderr).toMatch(says);
    expect(ran.stderr.trim().split("\n")).toHaveLength(1);
  }
  expect(auditActions()).toEqual(before);
});

test("sets a passkey domain without a page on it, and warns", async () => {
  const app = await json<Application>("app", "create", "--name", "Shop", "--origin", "https://shop.example.com");
  const set = (domain: string) => sallyport(["app", "set", app.id, "--passkey-rp-id", domain], { env: made.env });
  const foreign = await set("example.org");
  expect([foreign.code, foreign.stdout]).toEqual([0, expect.stringContaining("example.org")]);
  expect(foreign.stderr).toContain("no origin is on example.org");
  // `ample.com` ends the host name, but it is not a parent domain.
  expect((await set("ample.com")).stderr).toContain("no origin is on ample.com");
  for (const domain of ["example.com", "shop.example.com", ""]) {
    const { code, stderr } = await set(domain);
    expect([domain, code, stderr]).toEqual([domain, 0, ""]);
  }
});
