import { describe, expect, test } from "bun:test";
import { ManagementClient, type ManagementClientOptions, SallyportError } from "../../../src/sdk/management/index.ts";
import { until } from "../support/appliance.ts";
import { errorResponse } from "../support/issuer.ts";
import { CLIENT, SECRET, TestManagement } from "../support/management.ts";
import { outcome } from "../support/refusal.ts";

function open(server: TestManagement, options: ManagementClientOptions = {}) {
  const credentials = { clientId: CLIENT, clientSecret: SECRET };
  return new ManagementClient({ tenantUrl: server.url, ...credentials, now: server.now, ...options });
}

/** Answers `times` requests to `path` by `make`, then lets the others through. */
function failing(path: string, times: number, make: () => Response) {
  let left = times;
  return (asked: string) => (asked === path && left-- > 0 ? make() : undefined);
}

const overloaded = (status: number, retryAfter?: string) => () => {
  const code = status === 429 ? "rate_limited" : "overloaded";
  const answer = errorResponse(status, code, status === 429 ? "rate_limit_error" : "api_error");
  if (retryAfter !== undefined) answer.headers.set("retry-after", retryAfter);
  return answer;
};

describe("construction", () => {
  const tenantUrl = "http://localhost";
  test.each<[ManagementClientOptions, string]>([
    [{}, "tenantUrl is missing. Pass it, or set SALLYPORT_TENANT_URL."],
    [{ tenantUrl }, "clientId is missing. Pass it, or set SALLYPORT_M2M_CLIENT_ID."],
    [{ tenantUrl, clientId: "me" }, "clientId must be a UUID"],
    [{ tenantUrl, clientId: CLIENT }, "clientSecret is missing. Pass it, or set SALLYPORT_M2M_CLIENT_SECRET."],
    [{ tenantUrl, clientId: CLIENT, clientSecret: "" }, "clientSecret is missing"],
    [{ tenantUrl, clientId: CLIENT, clientSecret: SECRET, retries: 99 }, "retries must be a whole number"],
  ])("%j is refused", (options, message) => {
    expect(() => new ManagementClient(options)).toThrow(message);
  });

  test("reads the environment", async () => {
    await using server = new TestManagement();
    const { env } = process;
    const id = "app_01HWY4MYSEFGESW2GZ5CY4TQKF";
    const own = { SALLYPORT_TENANT_URL: server.url, SALLYPORT_M2M_CLIENT_ID: id, SALLYPORT_M2M_CLIENT_SECRET: SECRET };
    process.env = { ...env, ...own };
    const client = new ManagementClient({ now: server.now });
    process.env = env;
    expect((await client.users.list()).data).toEqual([]);
  });
});

describe("the grant", () => {
  test("starts with the construction, and the first calls share it", async () => {
    await using server = new TestManagement();
    const client = open(server);
    await until(() => server.grants.length === 1);
    await Promise.all([client.users.list().page(), client.users.list().page(), client.users.list().page()]);
    expect(server.grants.length).toBe(1);
    expect(Object.fromEntries(server.grants[0] ?? [])).toEqual({
      grant_type: "client_credentials",
      audience: `${server.url}/management`,
      resource: `${server.url}/management`,
    });
  });

  test("that fails causes no unhandled rejection, and the first call reports why", async () => {
    await using server = new TestManagement();
    const rejections: unknown[] = [];
    const note = (error: unknown) => void rejections.push(error);
    process.on("unhandledRejection", note);
    const client = open(server, { clientSecret: "sally_cs_wrong" });
    await until(() => server.grants.length === 1);
    await Bun.sleep(20);
    process.off("unhandledRejection", note);
    expect(rejections).toEqual([]);
    const error = await client.users.get(CLIENT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SallyportError);
    expect(error).toMatchObject({
      code: "invalid_client",
      status: 401,
      type: "authentication_error",
      message: "The client did not prove who it is.",
      requestId: "req-7",
    });
    // A wrong secret is not retried with every call, but it is retried in the end.
    expect(await outcome(client.users.get(CLIENT))).toBe("invalid_client");
    expect(server.grants.length).toBe(1);
    server.time += 6_000;
    expect(await outcome(client.users.get(CLIENT))).toBe("invalid_client");
    expect(server.grants.length).toBe(2);
  });

  test("is renewed in the background before the token ends; after its end the calls wait", async () => {
    await using server = new TestManagement();
    const client = open(server);
    await client.users.list();
    server.time += 700_000;
    await client.users.list();
    expect(server.grants.length).toBe(1);
    server.time += 50_000;
    await client.users.list();
    await until(() => server.grants.length === 2);
    await until(async () => {
      await client.users.list();
      return new Set(server.received.map((call) => call.authorization)).size === 2;
    });
    server.time += 3_600_000;
    server.tokens.clear();
    await client.users.list();
    expect(server.grants.length).toBe(3);
    expect(server.received.every((call) => call.authorization !== null)).toBe(true);
  });

  test("is repeated once when the appliance refuses the token", async () => {
    await using server = new TestManagement();
    const client = open(server);
    await client.users.list();
    server.tokens.clear();
    expect((await client.users.list()).data).toEqual([]);
    expect(server.grants.length).toBe(2);
    server.override = (path) =>
      path === "/v1/users" ? errorResponse(401, "token_revoked", "authentication_error") : undefined;
    const before = server.received.length;
    expect(await outcome(client.users.list().page())).toBe("token_revoked");
    expect(server.received.length - before).toBe(2);
  });

  test("survives a simultaneous start, when the appliance is not up yet", async () => {
    await using server = new TestManagement();
    server.override = failing("/oauth2/token", 2, overloaded(503));
    expect((await open(server).users.list()).data).toEqual([]);
    expect(server.grants.length).toBe(3);
  });

  test.each<[string, () => Response, string]>([
    ["a page", () => new Response("<html>"), "unexpected_response"],
    [
      "a redirect",
      () => new Response(null, { status: 307, headers: { location: "http://localhost:1" } }),
      "unexpected_response",
    ],
    ["no token", () => Response.json({ token_type: "Bearer" }), "unexpected_response"],
    ["another kind of token", () => Response.json({ access_token: "t", token_type: "mac" }), "unexpected_response"],
  ])("answered with %s: %s", async (_name, answer, code) => {
    await using server = new TestManagement();
    server.override = (path) => (path === "/oauth2/token" ? answer() : undefined);
    expect(await outcome(open(server).users.list().page())).toBe(code);
    expect(server.received).toEqual([]);
  });
});

describe("calls", () => {
  test("users: made, found, changed, deleted", async () => {
    await using server = new TestManagement();
    const client = open(server);
    const made = await client.users.create({ email: "ada@example.com" });
    expect(await client.users.get(made.id)).toEqual(made);
    expect((await client.users.list({ email: "ada@example.com" })).data).toEqual([made]);
    expect((await client.users.list({ email: "eve@example.com", search: null })).data).toEqual([]);
    expect(await client.users.update(made.id, { display_name: "Ada" })).toMatchObject({ display_name: "Ada" });
    expect(await client.users.delete(made.id)).toEqual({ status: "success" });
    const error = await client.users.get(made.id).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "not_found", status: 404, type: "not_found_error", requestId: "req-9" });
  });

  test("every method calls its address", async () => {
    await using server = new TestManagement();
    server.override = (path) => (path === "/oauth2/token" ? undefined : Response.json({ data: [], next_cursor: null }));
    const client = open(server);
    await client.applications.list({ limit: 50 });
    await client.applications.get(CLIENT);
    await client.apiKeys.list();
    await client.apiKeys.get("key_01HWY55QBEFY09M6SC7N75YR3H");
    await client.apiKeys.create({ name: "backend", scopes: ["users:read"] });
    await client.apiKeys.rotate(CLIENT, 0);
    await client.apiKeys.revoke(CLIENT);
    await client.sessions.list({ user_id: CLIENT });
    await client.sessions.get(CLIENT);
    await client.sessions.revoke(CLIENT);
    await client.resources.list();
    await client.resources.get(CLIENT);
    await client.resources.create({ audience: "api.example", name: "Orders" });
    await client.resources.update(CLIENT, { name: "Orders" });
    await client.resources.delete(CLIENT);
    await client.request("GET", "/v1/resources", { query: { limit: 1, cursor: undefined } });
    expect(server.received.map(({ method, path, search }) => `${method} ${path} ${search}`.trim())).toEqual([
      "GET /v1/applications limit=50",
      `GET /v1/applications/${CLIENT}`,
      "GET /v1/api-keys",
      "GET /v1/api-keys/key_01HWY55QBEFY09M6SC7N75YR3H",
      "POST /v1/api-keys",
      `POST /v1/api-keys/${CLIENT}/rotate`,
      `DELETE /v1/api-keys/${CLIENT}`,
      `GET /v1/sessions user_id=${CLIENT}`,
      `GET /v1/sessions/${CLIENT}`,
      `DELETE /v1/sessions/${CLIENT}`,
      "GET /v1/resources",
      `GET /v1/resources/${CLIENT}`,
      "POST /v1/resources",
      `PATCH /v1/resources/${CLIENT}`,
      `DELETE /v1/resources/${CLIENT}`,
      "GET /v1/resources limit=1",
    ]);
    expect(server.received[5]?.body).toEqual({ overlap_seconds: 0 });
  });

  test.each(["", ".", "..", "../api-keys", "a/b", "a?b=c", "a%2Fb", "a#b", "\u0000", "x".repeat(65)])(
    "does not send an id that would lead to another path: %j",
    async (id) => {
      await using server = new TestManagement();
      const client = open(server);
      expect(await outcome(client.users.get(id))).toBe("invalid_input");
      expect(await outcome(client.users.delete(id))).toBe("invalid_input");
      expect(server.received).toEqual([]);
    },
  );
});

describe("lists", () => {
  async function filled(count: number) {
    const server = new TestManagement();
    server.users = Array.from({ length: count }, (_, index) => ({
      id: `user-${index}`,
      email: `${index % 2}@example.com`,
      display_name: null,
    }));
    return server;
  }

  test("give one page when awaited, and everything, read as needed, when iterated", async () => {
    await using server = await filled(250);
    const client = open(server);
    const page = await client.users.list({ limit: 30 });
    expect([page.data.length, page.next_cursor]).toEqual([30, "30"]);
    expect((await client.users.list({ cursor: "240" })).data.length).toBe(10);
    const ids: string[] = [];
    server.received = [];
    for await (const user of client.users.list()) {
      if (ids.length === 0) expect(server.received.length).toBe(1);
      ids.push(user.id);
    }
    expect(ids).toEqual(server.users.map(({ id }) => id));
    expect(server.received.map(({ search }) => search.toString())).toEqual([
      "limit=100",
      "limit=100&cursor=100",
      "limit=100&cursor=200",
    ]);
  });

  test("keep limit and filters on every page, and stop where the caller does", async () => {
    await using server = await filled(100);
    const client = open(server);
    let seen = 0;
    for await (const user of client.users.list({ limit: 10, email: "1@example.com" })) {
      expect(user.email).toBe("1@example.com");
      seen++;
      if (seen === 15) break;
    }
    expect(server.received.map(({ search }) => search.get("limit"))).toEqual(["10", "10"]);
    expect(server.received.every(({ search }) => search.get("email") === "1@example.com")).toBe(true);
  });

  test("send no request before they are used, and fetch no page twice", async () => {
    await using server = await filled(3);
    const client = open(server);
    client.users.list();
    await until(() => server.grants.length === 1);
    expect(server.received).toEqual([]);
    server.override = (path) => (path === "/v1/users" ? Response.json({ data: [], next_cursor: "7" }) : undefined);
    const walk = async () => {
      for await (const _ of client.users.list({ cursor: "7" })) throw new Error("the list is not empty");
    };
    expect(await outcome(walk())).toBe("unexpected_response");
    expect(server.received.length).toBe(1);
  });
});

describe("a failure that passes", () => {
  test.each<[string, () => Response]>([
    ["503", overloaded(503)],
    ["429", overloaded(429)],
    ["429 with Retry-After", overloaded(429, "1")],
    ["a proxy's 502", () => new Response("<html>", { status: 502 })],
  ])("%s: a read is repeated until it succeeds", async (_name, answer) => {
    await using server = new TestManagement();
    server.override = failing("/v1/users", 2, answer);
    expect((await open(server).users.list()).data).toEqual([]);
    expect(server.received.length).toBe(3);
  });

  test("waits for Retry-After", async () => {
    await using server = new TestManagement();
    let freeAt = Number.POSITIVE_INFINITY;
    server.override = (path) => {
      if (path !== "/v1/users" || performance.now() >= freeAt) return undefined;
      if (freeAt === Number.POSITIVE_INFINITY) freeAt = performance.now() + 950;
      return overloaded(429, "1")();
    };
    await open(server).users.list();
    expect(server.received.length).toBe(2);
  });

  test("reports a long Retry-After without waiting", async () => {
    await using server = new TestManagement();
    server.override = failing("/v1/users", 9, overloaded(429, "3600"));
    const error = await open(server)
      .users.list()
      .page()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "rate_limited", status: 429, retryAfter: 3_600 });
    expect(server.received.length).toBe(1);
  });

  test("gives up after the third repetition, or as configured", async () => {
    await using server = new TestManagement();
    server.override = failing("/v1/users", 99, overloaded(503));
    expect(await outcome(open(server, { retries: 1 }).users.list().page())).toBe("overloaded");
    expect(server.received.length).toBe(2);
  });

  test("repeats a creation under one key, so that it happens once", async () => {
    await using server = new TestManagement();
    // The call was done, but its answer is lost on the way.
    let lost = 0;
    const { url } = server;
    const client = open(server, {
      fetch: async (address, init) => {
        const answer = await fetch(address, init);
        if (address === `${url}/v1/users` && lost++ < 2) throw new TypeError("the connection broke");
        return answer;
      },
    });
    const user = await client.users.create({ email: "ada@example.com" });
    expect(server.users.map(({ id }) => id)).toEqual([user.id]);
    const keys = server.received.map(({ idempotencyKey }) => idempotencyKey);
    expect(keys.length).toBe(3);
    expect(new Set(keys).size).toBe(1);
    await client.users.create({ email: "bob@example.com" });
    expect(new Set(server.received.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2);
    await client.users.create({ email: "eve@example.com" }, { idempotencyKey: "mine" });
    expect(server.received.at(-1)?.idempotencyKey).toBe("mine");
  });

  test("does not repeat a change, because it may undo another caller's change", async () => {
    await using server = new TestManagement();
    server.override = failing(`/v1/users/${CLIENT}`, 9, overloaded(503));
    expect(await outcome(open(server).users.update(CLIENT, { display_name: "Ada" }))).toBe("overloaded");
    expect(server.received.length).toBe(1);
    expect(server.received[0]?.idempotencyKey).toBeNull();
  });

  test.each([400, 403, 404, 409, 500])("%d does not pass, so it is not repeated", async (status) => {
    await using server = new TestManagement();
    server.override = failing("/v1/users", 9, () => errorResponse(status, "no", "invalid_request_error"));
    expect(await outcome(open(server).users.list().page())).toBe("no");
    expect(server.received.length).toBe(1);
  });

  test("an unreachable appliance is reported without the address's path or the secret", async () => {
    const server = new TestManagement();
    await server[Symbol.asyncDispose]();
    const error = await open(server, { retries: 0 })
      .users.list()
      .page()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "unreachable", status: 503 });
    expect(String(error)).not.toContain("sally_cs_");
  });
});
