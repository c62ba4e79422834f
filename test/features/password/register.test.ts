import { expect } from "bun:test";
import { scenarios } from "../../support/scenarios.ts";

const password = "walnut-bridge-otter-51";

scenarios("POST /v1/auth/register", (t) => {
  t.test(
    "creates a user, an address, a hash and a session, with an audit entry for each (ASVS 16.3.1)",
    async (app) => {
      const made = await app.client().post("/v1/auth/register", {
        email: " Ada@Example.COM ",
        password,
        display_name: " Ada ",
        metadata: { plan: "free" },
      });
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({ status: "success", token_type: "Bearer", expires_in: 900 });
      expect(made.body.user).toEqual({
        id: expect.any(String),
        external_id: null,
        email: "Ada@example.com",
        email_verified: false,
        display_name: "Ada",
        is_anonymous: false,
        metadata: { plan: "free" },
        created_at: "2026-03-01T12:00:00.000Z",
        updated_at: "2026-03-01T12:00:00.000Z",
      } as never);
      expect(await app.audit()).toEqual(["user.created", "session.created"]);
      const emails = await app.storage.read.kysely.selectFrom("user_emails").selectAll().execute();
      expect(emails).toMatchObject([{ canonical: "ada@example.com", user_id: made.body.user.id, is_primary: 1 }]);
      const [credential] = await app.storage.read.kysely.selectFrom("password_credentials").selectAll().execute();
      expect(credential?.hash).toStartWith("p1$argon2id$v=19$m=19456,t=2,p=1$");
      expect(app.metric("sallyport_password_hashes_total")).toBe(1);
    },
  );

  t.test("a known address is 409, in any spelling, and nothing is created (docs: sign_up immediate)", async (app) => {
    const client = app.client();
    expect((await client.post("/v1/auth/register", { email: "ada@example.com", password })).status).toBe(201);
    const before = await app.state();
    for (const email of [
      "ada@example.com",
      "ADA@EXAMPLE.com",
      "ａｄａ@example.com",
      "ada＠example.com",
      " ada@example.com ",
    ]) {
      const again = await client.post("/v1/auth/register", { email, password: "another-fine-passphrase-3" });
      expect([email, again.status, again.code]).toEqual([email, 409, "conflict"]);
      expect(again.cookies).toEqual([]);
    }
    expect(await app.state()).toBe(before);
  });

  t.test("refuses lists, names, look-alikes and control characters as an address, before any work", async (app) => {
    const before = await app.state();
    const addresses = [
      "ada@example.com,eve@evil.example",
      "ada@example.com;eve@evil.example",
      "ada@example.com eve@evil.example",
      "Ada <ada@example.com>",
      "ada@example.com\r\nBcc: eve@evil.example",
      "ada@example.com\u0000",
      "аda@example.com",
      "ada@exam\u00adple.com",
      '"ada"@example.com',
      "ada@[127.0.0.1]",
      "ada@localhost",
      "ada@@example.com",
      "@example.com",
      "",
      `${"a".repeat(65)}@example.com`,
    ];
    for (const email of addresses) {
      const refused = await app.client().post("/v1/auth/register", { email, password });
      expect([email, refused.status, refused.code]).toEqual([email, 400, "invalid_input"]);
      expect(refused.body.error.details).toMatchObject([{ path: "email" }]);
    }
    for (const email of [["ada@example.com"], ["ada@example.com", "eve@evil.example"], { a: 1 }, null, 7, true]) {
      expect((await app.client().post("/v1/auth/register", { email, password })).code).toBe("invalid_input");
    }
    expect(await app.state()).toBe(before);
    expect(app.metric("sallyport_password_hashes_total")).toBe(0);
  });

  t.test(
    "passwords have 15 characters or more (64 and more are allowed), any composition, and none of the known ones (ASVS 6.2.1, 6.2.4, 6.2.5, 6.2.9, 6.2.11, 6.2.12)",
    async (app) => {
      const tries: [string, number][] = [
        ["fourteen-chars", 400],
        ["passwordpassword", 400],
        ["aaaaaaaaaaaaaaaaaaaa", 400],
        ["ada.lovelace@example.com", 400],
        ["     spaces are fine     ", 201],
        ["пароль-из-кириллицы-и-ещё", 201],
        ["😀🦊🐙🌵🍀🎈🎻🚲🧭🪁🥨🧩🪴🛶🧵🪐", 201],
        [`${"vastly longer than most ".repeat(5)}!`, 201],
      ];
      for (const [index, [candidate, status]] of tries.entries()) {
        const body = { email: `ada.lovelace${status === 201 ? index : ""}@example.com`, password: candidate };
        const answer = await app.client().post("/v1/auth/register", body);
        expect([candidate, answer.status]).toEqual([candidate, status]);
        if (status === 400) expect(answer.body.error.details).toMatchObject([{ path: "password" }]);
      }
    },
  );

  t.test("the password counts exactly as received, to its last character (ASVS 6.2.8)", async (app) => {
    const long = `${"x7-Quagga ".repeat(20)}end`;
    await app.client().post("/v1/auth/register", { email: "ada@example.com", password: long });
    const login = async (candidate: string) =>
      (await app.client().post("/v1/auth/login", { email: "ada@example.com", password: candidate })).status;
    expect(await login(long)).toBe(200);
    for (const near of [long.slice(0, -1), `${long} `, ` ${long}`, long.toUpperCase(), long.slice(0, 72)]) {
      expect(await login(near)).toBe(401);
    }
  });

  t.test("mass assignment: a body sets nothing that the procedure does not take (ASVS 8.2.3)", async (app) => {
    const before = await app.state();
    const extras = {
      id: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
      tenant_id: app.tenantId,
      email_verified: true,
      external_id: "42",
      private_metadata: { admin: true },
      disabled: false,
      role: "admin",
      scope: "account admin",
      user: { id: "x" },
      status: "success",
      session_id: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
      constructor: {},
    };
    for (const [name, value] of Object.entries(extras)) {
      const body = { email: "ada@example.com", password, [name]: value };
      const refused = await app.client().post("/v1/auth/register", body);
      expect([name, refused.status]).toEqual([name, 400]);
      expect(refused.body.error.details).toMatchObject([{ path: name }]);
    }
    expect(await app.state()).toBe(before);
  });

  t.test("an application with closed sign-up answers 403 and does no work", async (app) => {
    const closed = await app.application({ sign_up: "closed" });
    const client = app.client({ "x-application-id": closed });
    const refused = await client.post("/v1/auth/register", { email: "ada@example.com", password });
    expect([refused.status, refused.code]).toEqual([403, "forbidden"]);
    expect(app.metric("sallyport_password_hashes_total")).toBe(0);
  });

  t.test(
    "fifty requests at once for one address create one user and one session (8: single use is one statement)",
    async (app) => {
      const email = "ada@example.com";
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => app.client().post("/v1/auth/register", { email, password })),
      );
      const statuses = answers.map((answer) => answer.status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(1);
      expect(statuses.filter((status) => status === 409)).toHaveLength(49);
      const { kysely } = app.storage.read;
      expect(await kysely.selectFrom("users").select("id").execute()).toHaveLength(1);
      expect(await kysely.selectFrom("user_emails").select("id").execute()).toHaveLength(1);
      expect(await kysely.selectFrom("sessions").select("id").execute()).toHaveLength(1);
      expect(await app.audit()).toEqual(["user.created", "session.created"]);
    },
  );

  t.test("metadata is the caller's own JSON: bounded, and without access to a prototype", async (app) => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { in: deep(levels - 1) });
    const tries: [unknown, number][] = [
      [{ nested: { list: [1, "two", null, true] } }, 201],
      [deep(8), 201],
      [deep(9), 400],
      [{ text: "x".repeat(9_000) }, 400],
      [[1], 400],
      ["text", 400],
      [{ "": 1 }, 400],
    ];
    for (const [index, [metadata, status]] of tries.entries()) {
      const answer = await app
        .client()
        .post("/v1/auth/register", { email: `p${index}@example.com`, password, metadata });
      expect([index, answer.status]).toEqual([index, status]);
      if (status === 201) expect(answer.body.user.metadata).toEqual(metadata as never);
    }
    for (const json of ['{"__proto__":{"admin":true}}', '{"a":{"__proto__":1}}', '{"a":[{"\\u005f_proto__":1}]}']) {
      const body = `{"email":"q@example.com","password":"${password}","metadata":${json}}`;
      const refused = await app.client().post("/v1/auth/register", undefined, {
        body,
        headers: { "content-type": "application/json" },
      });
      expect([json, refused.status]).toEqual([json, 400]);
    }
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});
