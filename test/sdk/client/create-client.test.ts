import { describe, expect, test } from "bun:test";
import { createClient, SallyportError } from "../../../src/sdk/client/index.ts";
import { TestWire } from "../support/wire.ts";

const APPLICATION = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const PREFIXED = "app_01HWY4MYSEFGESW2GZ5CY4TQKF";
const GOOD = { email: "ada@example.com", password: "five tame otters hum at dawn" };

async function caught(promise: Promise<unknown>): Promise<SallyportError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SallyportError) return error;
  throw new Error(`expected a SallyportError, not ${String(error)}`);
}

describe("calls", () => {
  test("name the application, in either form of its id", async () => {
    await using wire = new TestWire();
    const client = createClient({ url: `${wire.url}/`, applicationId: PREFIXED.toLowerCase() });
    const answer = await client.auth.login.mutate(GOOD);
    expect(answer.status).toBe("success");
    const [request] = wire.received;
    expect(request?.path).toBe("/trpc/auth.login");
    expect(request?.method).toBe("POST");
    expect(request?.headers.get("x-application-id")).toBe(APPLICATION);
    expect(request?.headers.has("authorization")).toBe(false);
  });

  test("of one event loop turn share a request, and each has its own outcome", async () => {
    await using wire = new TestWire();
    const client = createClient({ url: wire.url, applicationId: APPLICATION });
    const [page, session, first, second] = await Promise.allSettled([
      client.users.list.query({ limit: 1 }),
      client.auth.session.query(),
      client.auth.login.mutate({ ...GOOD, password: "wrong" }),
      client.auth.login.mutate({ ...GOOD, email: "second@example.com" }),
    ]);
    expect([page, session, first, second].map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(wire.received.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
      "GET /trpc/users.list,auth.session",
      "POST /trpc/auth.login,auth.login",
    ]);
  });

  test("carry the last access token, and none once it is removed", async () => {
    await using wire = new TestWire();
    const client = createClient({ url: wire.url, applicationId: APPLICATION, accessToken: "first" });
    await client.auth.session.query();
    client.setAccessToken("second");
    await client.auth.session.query();
    client.setAccessToken(null);
    await client.auth.session.query();
    expect(wire.received.map(({ headers }) => headers.get("authorization"))).toEqual([
      "Bearer first",
      "Bearer second",
      null,
    ]);
  });

  test("call getAccessToken each time, and add the caller's headers to the client's own", async () => {
    await using wire = new TestWire();
    let count = 0;
    const client = createClient({
      url: wire.url,
      applicationId: APPLICATION,
      getAccessToken: async () => `signed-${++count}`,
      headers: () => ({ "x-trace": "t", "x-application-id": "another" }),
    });
    await client.auth.session.query();
    await client.auth.session.query();
    expect(wire.received.map(({ headers }) => headers.get("authorization"))).toEqual([
      "Bearer signed-1",
      "Bearer signed-2",
    ]);
    expect(wire.received[0]?.headers.get("x-trace")).toBe("t");
    expect(wire.received[0]?.headers.get("x-application-id")).toBe(APPLICATION);
  });

  test("the client is not a promise, and printing it calls nothing", async () => {
    await using wire = new TestWire();
    const client = createClient({ url: wire.url, applicationId: APPLICATION });
    expect(await (async () => client)()).toBe(client);
    JSON.stringify(client);
    expect(wire.received).toEqual([]);
  });
});

describe("errors", () => {
  test("are the envelope with types", async () => {
    await using wire = new TestWire();
    const client = createClient({ url: wire.url, applicationId: APPLICATION });
    const error = await caught(client.auth.login.mutate({ ...GOOD, password: "wrong" }));
    expect(error).toMatchObject({
      code: "invalid_credentials",
      status: 401,
      type: "authentication_error",
      message: "wrong password or unknown email",
      requestId: "req-1",
      details: null,
      retryAfter: null,
    });
  });

  test("are the REST envelope's if a whole batch was refused", async () => {
    await using wire = new TestWire();
    const error = { code: "unknown_application", message: "None.", type: "invalid_request_error", request_id: "r" };
    wire.override = () => Response.json({ error: { ...error, details: null } }, { status: 400 });
    const client = createClient({ url: wire.url, applicationId: APPLICATION });
    const calls = [client.auth.session.query(), client.users.list.query()];
    for (const call of calls.map(caught))
      expect(await call).toMatchObject({ code: "unknown_application", requestId: "r" });
  });

  test("Retry-After is given in seconds", async () => {
    await using wire = new TestWire();
    const envelope = {
      code: "rate_limited",
      message: "Too many.",
      type: "rate_limit_error",
      request_id: "r",
      details: null,
    };
    const data = { code: "TOO_MANY_REQUESTS", httpStatus: 429, path: "auth.login", error: envelope };
    wire.override = () =>
      Response.json([{ error: { message: "Too many.", code: -32029, data } }], {
        status: 429,
        headers: { "retry-after": "17" },
      });
    const client = createClient({ url: wire.url, applicationId: APPLICATION });
    expect(await caught(client.auth.login.mutate(GOOD))).toMatchObject({
      code: "rate_limited",
      status: 429,
      retryAfter: 17,
    });
  });

  test.each<[string, () => Response]>([
    ["a proxy's page", () => new Response("<html>502</html>", { status: 502 })],
    ["another server's JSON", () => Response.json({ message: "hello" })],
  ])("%s is an unexpected response", async (_name, answer) => {
    await using wire = new TestWire();
    wire.override = answer;
    const client = createClient({ url: wire.url, applicationId: APPLICATION });
    expect(await caught(client.auth.session.query())).toMatchObject({ code: "unexpected_response", status: 502 });
  });

  test("nobody listening", async () => {
    const wire = new TestWire();
    const client = createClient({ url: wire.url, applicationId: APPLICATION });
    await wire[Symbol.asyncDispose]();
    expect(await caught(client.auth.session.query())).toMatchObject({ code: "unreachable", status: 503 });
    expect(await caught(client.refresh())).toMatchObject({ code: "unreachable", status: 503 });
  });

  test("an aborted call rejects with the signal's reason", async () => {
    await using wire = new TestWire();
    const client = createClient({ url: wire.url, applicationId: APPLICATION });
    const reason = new Error("the page was left");
    const controller = new AbortController();
    const call = client.auth.session.query(undefined, { signal: controller.signal });
    controller.abort(reason);
    expect(await call.catch((thrown: unknown) => thrown)).toBe(reason);
  });
});

describe("refresh", () => {
  test("goes by REST, serves later calls, and is shared by simultaneous callers", async () => {
    await using wire = new TestWire();
    const client = createClient({ url: wire.url, applicationId: APPLICATION });
    const [one, two] = await Promise.all([client.refresh(), client.refresh()]);
    expect(one).toBe(two);
    expect(wire.received).toHaveLength(1);
    expect(wire.received[0]).toMatchObject({ method: "POST", path: "/v1/auth/refresh", body: "{}" });
    expect(wire.received[0]?.headers.get("x-application-id")).toBe(APPLICATION);
    await client.auth.session.query();
    expect(wire.received[1]?.headers.get("authorization")).toBe("Bearer refreshed-1");
    await client.refresh("a-refresh-token");
    expect(wire.received[2]?.body).toBe('{"refresh_token":"a-refresh-token"}');
  });
});

describe("a stale token", () => {
  const item = (code: string) => {
    const error = { code, message: code, type: "authentication_error", request_id: "r", details: null };
    return { error: { message: code, code: -32001, data: { code: "UNAUTHORIZED", httpStatus: 401, error } } };
  };
  /** Refuses the first token with `code`. */
  function refuseFirst(wire: TestWire, code: string): void {
    wire.override = ({ headers, url }) =>
      headers.get("authorization") === "Bearer first" || headers.get("authorization") === "Bearer last"
        ? Response.json(
            new URL(url).pathname.split(",").map(() => item(code)),
            { status: 401 },
          )
        : undefined;
  }

  test.each(["token_expired", "token_revoked"])(
    "%s: the client asks for another token, and retries once",
    async (code) => {
      await using wire = new TestWire();
      refuseFirst(wire, code);
      const asked: (string | null)[] = [];
      const getAccessToken = ({ rejected }: { rejected: string | null }) => {
        asked.push(rejected);
        return rejected === null ? "first" : "second";
      };
      const client = createClient({ url: wire.url, applicationId: APPLICATION, getAccessToken });
      const calls = await Promise.all([client.auth.session.query(), client.users.list.query()]);
      expect(calls).toHaveLength(2);
      expect(wire.received.map(({ headers }) => headers.get("authorization"))).toEqual([
        "Bearer first",
        "Bearer second",
      ]);
      expect(asked).toEqual([null, "first", "first"]);
    },
  );

  test.each<[string, string, string | null, number]>([
    ["no other token", "token_expired", null, 1],
    ["the same token again", "token_expired", "first", 1],
    ["another token that is refused too", "token_expired", "last", 2],
    ["the server asks for a stronger sign-in", "insufficient_user_authentication", "second", 1],
  ])("%s: %s", async (_name, code, next, requests) => {
    await using wire = new TestWire();
    refuseFirst(wire, code);
    const getAccessToken = ({ rejected }: { rejected: string | null }) => (rejected === null ? "first" : next);
    const client = createClient({ url: wire.url, applicationId: APPLICATION, getAccessToken });
    expect(await caught(client.auth.session.query())).toMatchObject({ code, status: 401 });
    expect(wire.received).toHaveLength(requests);
  });
});

describe("options", () => {
  test.each([
    [{ applicationId: APPLICATION }, "url is missing. Pass it, or set SALLYPORT_URL."],
    [{ url: "http://localhost" }, "applicationId is missing. Pass it, or set SALLYPORT_APP_ID."],
    [{ url: "http://localhost", applicationId: "usr_01HWY4MYSEFGESW2GZ5CY4TQKF" }, "applicationId must be a UUID"],
    [{ url: "http://localhost", applicationId: "app_81HWY4MYSEFGESW2GZ5CY4TQKF" }, "applicationId must be a UUID"],
    [{ url: "localhost:8080", applicationId: APPLICATION }, "url must be an http or https address"],
    [{ url: "http://u:p@localhost", applicationId: APPLICATION }, "url must be an http or https address"],
  ])("%j is refused at construction", (options, message) => {
    expect(() => createClient(options)).toThrow(message);
  });

  test("come from the environment", async () => {
    await using wire = new TestWire();
    const { env } = process;
    process.env = { ...env, SALLYPORT_URL: wire.url, SALLYPORT_APP_ID: PREFIXED };
    try {
      await createClient().auth.session.query();
    } finally {
      process.env = env;
    }
    expect(wire.received[0]?.headers.get("x-application-id")).toBe(APPLICATION);
  });
});
