import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { scenarios, sqliteScenarios } from "../support/scenarios.ts";

const post = (app: TestApp, path: string, body: BodyInit, type = "application/json") =>
  app.client().post(path, undefined, { body, headers: { "content-type": type } });

sqliteScenarios("request bodies and queries", (t) => {
  t.test("anything but JSON in UTF-8 gets 400 before any look-up, on both transports", async (app) => {
    const bodies: [string, BodyInit][] = [
      ["half an object", '{"email":'],
      ["single quotes", "{'email':'a'}"],
      ["a comment", '{"a":1} // x'],
      ["a trailing comma", '{"a":1,}'],
      ["two documents", "{}{}"],
      ["NaN", '{"email":NaN}'],
      ["UTF-16", Buffer.from('{"email":"a"}', "utf16le")],
      ["a broken sequence", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
      ["an overlong slash", Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
      ["brackets without end", "[".repeat(60_000)],
      ["a form", "email=a%40example.com"],
    ];
    for (const [name, body] of bodies) {
      for (const path of ["/v1/auth/login", "/v1/auth/refresh", "/trpc/auth.login"]) {
        const answer = await post(app, path, body);
        expect([name, path, answer.status]).toEqual([name, path, 400]);
        expect(answer.text).toContain("invalid_input");
      }
    }
    expect(app.metric("sallyport_password_hashes_total")).toBe(0);
  });

  t.test("JSON of the wrong shape gets 400, and the error names the field", async (app) => {
    const email = "ada@example.com";
    const bodies: [unknown, string][] = [
      [[], ""],
      ["text", ""],
      [7, ""],
      [{}, "email"],
      [{ email }, "password"],
      [{ email: 7, password: "x" }, "email"],
      [{ email, password: ["x"] }, "password"],
      [{ email, password: { toString: "x" } }, "password"],
      [{ email, password: null }, "password"],
      [{ email, password: "x", delivery: "carrier pigeon" }, "delivery"],
      [{ email, password: "x", extra: 1 }, "extra"],
    ];
    for (const [body, path] of bodies) {
      for (const address of ["/v1/auth/login", "/trpc/auth.login"]) {
        const answer = await app.client().post(address, body);
        const error =
          address.startsWith("/trpc") && answer.body.error && "data" in answer.body.error
            ? (answer.body.error.data as { error: typeof answer.body.error }).error
            : answer.body.error;
        expect([body, address, answer.status]).toEqual([body, address, 400]);
        expect((error.details as { path: string }[]).map((problem) => problem.path)).toContain(path);
      }
    }
  });

  t.test(
    "__proto__, constructor and prototype are unknown keys in bodies and queries, and change no prototype",
    async (app) => {
      const { tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      for (const body of [
        '{"__proto__":{"all":true}}',
        '{"constructor":{"prototype":{"all":true}}}',
        '{"prototype":1}',
        '{"\\u005f\\u005fproto__":1}',
      ]) {
        const headers = { "content-type": "application/json" };
        expect([body, (await client.post("/v1/auth/logout", undefined, { body, headers })).status]).toEqual([
          body,
          400,
        ]);
        expect([body, (await client.post("/trpc/auth.logout", undefined, { body, headers })).status]).toEqual([
          body,
          400,
        ]);
      }
      for (const query of ["__proto__=1", "__proto__[all]=1", "constructor=1", "limit=1&__proto__=x", "toString=1"]) {
        expect([query, (await client.get(`/v1/auth/sessions?${query}`)).status]).toEqual([query, 400]);
      }
      const input = encodeURIComponent('{"__proto__":{"limit":1}}');
      expect((await client.get(`/trpc/auth.sessions.list?input=${input}`)).status).toBe(400);
      expect(({} as { all?: boolean }).all).toBeUndefined();
      expect((await client.get("/v1/auth/session")).status).toBe(200);
    },
  );

  t.test("duplicate and unknown query parameters are refused; limits and cursors are checked", async (app) => {
    const { tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const status = async (query: string) => (await client.get(`/v1/auth/sessions?${query}`)).status;
    for (const query of [
      "limit=1&limit=2",
      "limit=0",
      "limit=101",
      "limit=x",
      "limit=1.5",
      "limit=-1",
      "limit=",
      "limit[]=1",
      "cursor=x",
      "cursor=%00",
      "user_id=1",
    ]) {
      expect([query, await status(query)]).toEqual([query, 400]);
    }
    for (const query of ["", "limit=1", "limit=100", `cursor=${tokens.session.sid}`]) {
      expect([query, await status(query)]).toEqual([query, 200]);
    }
  });

  t.test("ids come from the path only", async (app) => {
    const { user, tokens } = await app.signedIn();
    const other = await app.signIn(user);
    const client = app.client().bearer(tokens.accessToken);
    const refused = await client.delete(`/v1/auth/sessions/${other.session.sid}?id=${tokens.session.sid}`);
    expect([refused.status, refused.body.error.details]).toEqual([
      400,
      [{ path: "id", reason: "is taken from the path" }],
    ]);
    expect((await client.get("/v1/auth/sessions")).body.data).toHaveLength(2);
  });

  t.test("a body of more than 64 kB gets 413, with and without a length", async (app) => {
    const pad = (size: number) => `{"email":"a@example.com","password":"${"x".repeat(size)}"}`;
    for (const size of [65_536, 1_000_000, 5_000_000]) {
      const answer = await post(app, "/v1/auth/login", pad(size));
      expect([size, answer.status, answer.code]).toEqual([size, 413, "payload_too_large"]);
      const chunked = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from(pad(size)));
          controller.close();
        },
      });
      expect([size, (await post(app, "/v1/auth/login", chunked)).status]).toEqual([size, 413]);
    }
    expect((await post(app, "/v1/auth/login", pad(60_000))).status).toBe(400);
  });

  t.test("JSON has at most 32 levels on both transports, and brackets in strings do not count", async (app) => {
    const { tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const nested = (levels: number) => `${"[".repeat(levels)}1${"]".repeat(levels)}`;
    const patch = (value: string) => `{"metadata":{"x":${value}}}`;
    const before = await app.state();
    const bombs = [
      patch(nested(31)),
      patch(`${'{"a":'.repeat(31)}1${"}".repeat(31)}`),
      nested(31_000),
      "[".repeat(60_000),
    ];
    for (const body of bombs) {
      for (const [method, path] of [
        ["PATCH", "/v1/me"],
        ["POST", "/trpc/me.update"],
      ] as const) {
        const answer = await client.send(method, path, { body, headers: { "content-type": "application/json" } });
        expect([path, answer.status, answer.text.includes("nested more than 32")]).toEqual([path, 400, true]);
      }
    }
    const query = await client.get(`/trpc/auth.session?input=${encodeURIComponent(nested(1_000))}`);
    expect(query.status).toBe(400);
    expect(await app.state()).toBe(before);
    const brackets = "[{".repeat(1_000);
    for (const value of [nested(7), JSON.stringify(brackets), JSON.stringify(`\\"${brackets}`)]) {
      const answer = await client.send("PATCH", "/v1/me", {
        body: patch(value),
        headers: { "content-type": "application/json" },
      });
      expect(answer.status).toBe(200);
    }
  });

  t.test("a compressed body gets 415 without being unpacked", async (app) => {
    const body = Bun.gzipSync(new TextEncoder().encode(JSON.stringify({ email: "a@example.com", password: "x" })));
    for (const encoding of ["gzip", "br", "deflate", "gzip, gzip"]) {
      const headers = { "content-type": "application/json", "content-encoding": encoding };
      const answer = await app.client().send("POST", "/v1/auth/login", { body, headers });
      expect([encoding, answer.code, answer.body.error.message]).toEqual([
        encoding,
        "unsupported_media_type",
        "Send the body without Content-Encoding.",
      ]);
    }
  });

  t.test("a client that disconnects during its body causes no internal error", async (app) => {
    const { hostname, port } = new URL(app.url);
    const heads = ["Content-Length: 1000", "Transfer-Encoding: chunked"];
    for (const head of heads) {
      const lines = [
        "POST /v1/auth/login HTTP/1.1",
        `Host: ${new URL(app.publicUrl).host}`,
        "Content-Type: application/json",
      ];
      const start = head.startsWith("T") ? '10\r\n{"email":' : '{"email":';
      const socket = await Bun.connect({ hostname, port: Number(port), socket: { data: () => undefined } });
      socket.write(`${[...lines, head].join("\r\n")}\r\n\r\n${start}`);
      socket.flush();
      await Bun.sleep(50);
      socket.terminate();
    }
    await Bun.sleep(100);
    expect((await app.client().get("/healthz")).status).toBe(200);
    expect(app.log.lines.filter(({ level }) => level === "error")).toEqual([]);
    expect(app.app.metrics.render()).not.toContain('status="500"');
  });

  t.test("any unknown address gets 404 in the envelope", async (app) => {
    for (const path of [
      "/v1",
      "/v1/auth",
      "/v1/auth/login/",
      "/v2/auth/login",
      "/admin",
      "/.env",
      "/v1/../etc/passwd",
      "/t/default",
      "/trpc",
      "/V1/auth/login",
      "/%2e%2e/x",
      "/v1/auth/login%00",
    ]) {
      const answer = await app.client().get(path);
      expect([path, answer.status, answer.code]).toEqual([path, 404, "not_found"]);
      expect(answer.text).not.toContain("stack");
    }
  });
});

scenarios("text that PostgreSQL refuses", (t) => {
  t.test("a NUL in any text never causes an internal error on either database", async (app) => {
    const { user, tokens } = await app.signedIn();
    const nul = "a\u0000b";
    const bodies: [string, unknown][] = [
      ["/v1/auth/login", { email: nul, password: nul }],
      ["/v1/auth/login", { ...user.login, organization: nul }],
      ["/v1/auth/login", { ...user.login, audience: nul }],
      ["/v1/auth/register", { email: "n@example.com", password: "walnut-bridge-otter-51", display_name: nul }],
      ["/v1/auth/register", { email: "m@example.com", password: `walnut-bridge-otter-51${nul}` }],
      ["/v1/auth/register", { email: "o@example.com", password: "walnut-bridge-otter-51", metadata: { [nul]: nul } }],
      ["/v1/auth/refresh", { refresh_token: nul }],
      ["/v1/auth/password/change", { current_password: nul, new_password: nul }],
    ];
    for (const [path, body] of bodies) {
      const caller = path.endsWith("change") ? app.client().bearer(tokens.accessToken) : app.client();
      const answer = await caller.post(path, body);
      expect([path, answer.status < 500]).toEqual([path, true]);
    }
    const queries = ["/v1/users?email=%00", "/v1/users?cursor=%00", "/v1/users?email=a%00@example.com"];
    for (const path of queries) expect((await app.client().bearer(app.secretKey).get(path)).status).toBe(400);
    expect((await app.client().bearer(tokens.accessToken).delete("/v1/auth/sessions/%00")).status).toBe(400);
  });
});
