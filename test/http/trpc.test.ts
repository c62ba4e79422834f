import { expect } from "bun:test";
import { createTRPCClient, httpBatchLink, httpLink, TRPCClientError } from "@trpc/client";
import type { AnyRouter } from "@trpc/server";
import type { TestApp } from "../support/app.ts";
import { sqliteScenarios } from "../support/scenarios.ts";

type Proxy = Record<
  string,
  Record<
    string,
    { query(input?: unknown): Promise<never>; mutate(input?: unknown): Promise<never> } & Record<
      string,
      { query(input?: unknown): Promise<never>; mutate(input?: unknown): Promise<never> }
    >
  >
>;

/**
 * Connects the public client to the live server. Only the transport is under test; the types are generated elsewhere.
 */
function clientOf(app: TestApp, headers: Record<string, string>, batch = false): { client: Proxy; requests: string[] } {
  const requests: string[] = [];
  const options = {
    url: `${app.publicUrl}/trpc`,
    headers,
    fetch: (url: URL | RequestInfo, init?: RequestInit) => {
      requests.push(`${init?.method ?? "GET"} ${new URL(String(url)).pathname}`);
      return fetch(String(url), init);
    },
  };
  const link = batch ? httpBatchLink(options as never) : httpLink(options as never);
  return { client: createTRPCClient<AnyRouter>({ links: [link] }) as unknown as Proxy, requests };
}

interface Shape {
  error: { data: { path?: string } };
}

const batchOf = (names: string[], inputs: unknown) => ({
  path: `/trpc/${names.join(",")}?batch=1`,
  json: inputs,
});

sqliteScenarios("tRPC's wire", (t) => {
  t.test("@trpc/client signs up, queries, and reads errors in both shapes", async (app) => {
    const { client } = clientOf(app, { "x-application-id": app.applicationId });
    const made = (await client.auth?.register?.mutate({
      email: "ada@example.com",
      password: "walnut-bridge-otter-51",
    })) as unknown as {
      access_token: string;
      user: { id: string };
    };
    const { client: me } = clientOf(app, { authorization: `Bearer ${made.access_token}` });
    const session = (await me.auth?.session?.query()) as unknown as { user: { id: string } };
    expect(session.user.id).toBe(made.user.id);
    const page = (await me.auth?.sessions?.list?.query({ limit: 1 })) as unknown as { data: unknown[] };
    expect(page.data).toHaveLength(1);
    const refused = await client.auth?.login
      ?.mutate({ email: "ada@example.com", password: "not-the-right-password" })
      .catch((error: unknown) => error);
    if (!(refused instanceof TRPCClientError)) throw new Error("signed in with a wrong password");
    expect(refused.message).toBe("wrong password or unknown email");
    expect(refused.data).toMatchObject({
      code: "UNAUTHORIZED",
      httpStatus: 401,
      path: "auth.login",
      error: { code: "invalid_credentials", type: "authentication_error", details: null },
    });
  });

  t.test("a batch of the client is one request, and each call has its own result", async (app) => {
    const { tokens } = await app.signedIn();
    const { client, requests } = clientOf(app, { authorization: `Bearer ${tokens.accessToken}` }, true);
    const settled = await Promise.allSettled([
      client.auth?.session?.query(),
      client.auth?.sessions?.list?.query({ limit: 1 }),
      client.users?.list?.query(),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(requests).toEqual(["GET /trpc/auth.session,auth.sessions.list,users.list"]);
  });

  t.test("the stock client reads a refusal of its whole request: each call gets the error", async (app) => {
    const { tokens } = await app.signedIn();
    const { client, requests } = clientOf(app, { authorization: `Bearer ${tokens.accessToken}` }, true);
    const settled = await Promise.allSettled(Array.from({ length: 21 }, () => client.auth?.session?.query()));
    expect(requests).toHaveLength(1);
    for (const one of settled) {
      if (one.status !== "rejected" || !(one.reason instanceof TRPCClientError)) throw new Error("not refused");
      expect(one.reason.message).toBe("Some fields are not valid. The details name each field and say why.");
      expect(one.reason.data).toMatchObject({
        httpStatus: 400,
        path: "auth.session",
        error: { code: "invalid_input" },
      });
    }
    // By the size of the body, the form of the address, the method and the Host.
    const big = { email: "a@example.com", password: "x".repeat(70_000) };
    const large = await Promise.allSettled([client.auth?.login?.mutate(big), client.auth?.login?.mutate(big)]);
    for (const one of large) {
      if (one.status !== "rejected") throw new Error("not refused");
      expect(one.reason.data).toMatchObject({ code: "PAYLOAD_TOO_LARGE", path: "auth.login" });
    }
    const shapes: [string, number, (string | undefined)[]][] = [];
    for (const [path, method] of [
      ["/trpc/auth.session,users.list?batch=1", "PUT"],
      ["/trpc/auth.session", "DELETE"],
      ["/trpc/%E0%A4%A?batch=1", "GET"],
      ["/t/acme/trpc/auth.session,auth.session?batch=1&input=%7B", "GET"],
    ] as const) {
      const answer = await app.client().send(method, path);
      const body = JSON.parse(answer.text) as Shape | Shape[];
      shapes.push([path, answer.status, [body].flat().map(({ error }) => error.data.path)]);
    }
    expect(shapes.map(([, status, paths]) => [status, paths])).toEqual([
      [405, ["auth.session", "users.list"]],
      [405, ["auth.session"]],
      [400, ["%E0%A4%A"]],
      [400, ["auth.session", "auth.session"]],
    ]);
    const strange = await fetch(`${app.url}/trpc/auth.session,auth.session?batch=1`, {
      headers: { host: "evil.example" },
    });
    expect([strange.status, ((await strange.json()) as Shape[]).length]).toEqual([421, 2]);
  });

  t.test("a refusal of thousands of calls is one short answer, which the stock client gives to each", async (app) => {
    const answer = await app.client().get(`/trpc/${",".repeat(5_000)}?batch=1`);
    expect([answer.status, answer.text.length < 1_000, Array.isArray(JSON.parse(answer.text))]).toEqual([
      400,
      true,
      false,
    ]);
  });

  t.test("a page may read a refusal of its whole request", async (app) => {
    const page = app.page("https://app.example.com", { "x-application-id": app.applicationId });
    const answer = await page.get("/trpc/auth.session?batch=1&input=nonsense");
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([
      400,
      "https://app.example.com",
    ]);
  });

  t.test("mixed results get 207, and equal results get their own status", async (app) => {
    const { tokens } = await app.signedIn();
    const me = app.client().bearer(tokens.accessToken);
    expect((await me.get("/trpc/auth.session,users.list?batch=1&input=%7B%7D")).status).toBe(207);
    expect((await me.get("/trpc/auth.session,auth.session?batch=1")).status).toBe(200);
    expect((await app.client().get("/trpc/auth.session,auth.session?batch=1")).status).toBe(401);
    const frame = await me.get("/trpc/auth.session,nothing.here?batch=1");
    expect(JSON.parse(frame.text)[1].error.data).toMatchObject({
      code: "NOT_FOUND",
      httpStatus: 404,
      path: "nothing.here",
    });
  });

  t.test("a batch cannot evade limits: it has at most twenty calls, and each attempt counts", async (app) => {
    const user = await app.user();
    const wrong = { ...user.login, password: "not-the-right-password" };
    const names = (count: number) => Array.from({ length: count }, () => "auth.login");
    const inputs = (count: number) => Object.fromEntries(names(count).map((_, index) => [index, wrong]));
    const over = batchOf(names(21), inputs(21));
    expect((await app.client().post(over.path, over.json)).status).toBe(400);
    expect(app.metric("sallyport_password_hashes_total")).toBe(0);
    const full = batchOf(names(20), inputs(20));
    const answer = await app.client().post(full.path, full.json);
    const statuses = (JSON.parse(answer.text) as { error: { data: { httpStatus: number } } }[]).map(
      ({ error }) => error.data.httpStatus,
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
    expect((await app.client().post("/v1/auth/login", user.login)).status).toBe(429);
  });

  t.test("malformed batches cause no internal error", async (app) => {
    const { tokens } = await app.signedIn();
    const me = app.client().bearer(tokens.accessToken);
    for (const [path, status] of [
      ["/trpc/auth.session,auth.session", 400],
      ["/trpc/auth.session?batch=0&input=%7B", 400],
      ["/trpc/auth.session?input=nonsense", 400],
      ["/trpc/auth.session?batch=1&input=7", 400],
      ["/trpc/auth.session?batch=1&input=null", 400],
      ["/trpc/%E0%A4%A", 400],
      ["/trpc/auth.session%2Cauth.session?batch=1", 200],
      ["/trpc/,,?batch=1", 404],
      ["/trpc/__proto__", 404],
      ["/trpc/constructor", 404],
      ["/trpc/toString?batch=1", 404],
      ["/trpc/auth", 404],
      ["/trpc/auth.session.query", 404],
    ] as const) {
      expect([path, (await me.get(path)).status]).toEqual([path, status]);
    }
    for (const json of [[], [null], { "1": {} }, { "-1": {} }]) {
      const answer = await me.post("/trpc/auth.sessions.revokeOthers?batch=1", json);
      expect([json, answer.status]).toEqual([json, 200]);
    }
  });

  t.test(
    "the answer has cookies, challenges, Retry-After and CORS like REST, and no refresh token for pages",
    async (app) => {
      const user = await app.user();
      const page = app.page("https://app.example.com", { "x-application-id": app.applicationId });
      const answer = await page.mutate("auth.login", user.login);
      expect(answer.cookies.map(({ attributes }) => attributes.path)).toEqual(["/", "/v1/auth", "/"]);
      expect(JSON.parse(answer.text).result.data.refresh_token).toBeNull();
      expect((await page.query("auth.session")).status).toBe(200);
      const bare = await app.client().query("auth.session");
      expect(bare.headers.get("www-authenticate")).toBe("Bearer");
      const out = await page.mutate("auth.logout");
      expect(out.cookies.map(({ attributes }) => attributes["max-age"])).toEqual(["0", "0"]);
      const wrong = { ...user.login, password: "not-the-right-password" };
      let last = await app.client().mutate("auth.login", wrong);
      for (let i = 0; i < 12 && last.status !== 429; i++) last = await app.client().mutate("auth.login", wrong);
      expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
    },
  );
});
