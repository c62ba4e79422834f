import { expect } from "bun:test";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";
import { claimsOf } from "../../support/tokens.ts";

scenarios("POST /v1/auth/login", (t) => {
  t.test("the right password gives tokens, a session row and an audit entry (ASVS 16.3.1)", async (app) => {
    const user = await app.user("Ada@example.com");
    const client = app.client({ "user-agent": "curl/8" });
    const answer = await client.post("/v1/auth/login", { email: "ADA@example.com", password: PASSWORD });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      status: "success",
      token_type: "Bearer",
      expires_in: 900,
      user: { id: user.id },
    });
    const rows = await app.storage.read.kysely.selectFrom("sessions").selectAll().execute();
    expect(rows).toMatchObject([
      {
        user_id: user.id,
        application_id: app.defaultApplicationId,
        auth_method: "password",
        aal: "aal1",
        generation: 1,
      },
    ]);
    expect(rows[0]?.user_agent).toBe("curl/8");
    expect(rows[0]?.address).toBe("127.0.0.1");
    const entries = await app.auditEntries();
    expect(entries).toMatchObject([{ action: "session.created", actor_id: user.id, target_id: rows[0]?.id ?? "" }]);
    expect(entries[0]?.request_id).toBe(answer.headers.get("x-request-id"));
  });

  t.test("each sign-in is a new session with new ids (ASVS 7.2.2, 7.2.4: fixation)", async (app) => {
    const user = await app.user();
    const body = { email: user.email, password: PASSWORD };
    const first = await app.client().post("/v1/auth/login", body);
    // The browser sends the cookies of an old session that an attacker planted there.
    const planted = { cookie: first.cookies.map(({ name, value }) => `${name}=${value}`).join("; ") };
    const second = await app.client(planted).post("/v1/auth/login", body);
    const third = await app.client().bearer(first.body.access_token).post("/v1/auth/login", body);
    const ids = [first, second, third].map(({ body: { access_token } }) => claimsOf(access_token));
    expect(new Set(ids.map(({ sid }) => sid)).size).toBe(3);
    expect(new Set(ids.map(({ jti }) => jti)).size).toBe(3);
  });

  t.test("refuses ids that a client brings along, instead of adopting them (fixation)", async (app) => {
    const user = await app.user();
    const sid = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
    for (const name of ["sid", "session_id", "id", "refresh_token", "access_token"]) {
      const refused = await app.client().post("/v1/auth/login", { email: user.email, password: PASSWORD, [name]: sid });
      expect([name, refused.status]).toEqual([name, 400]);
    }
    const answer = await app
      .client({ "x-session-id": sid, cookie: `sid=${sid}; session=${sid}` })
      .post("/v1/auth/login", {
        email: user.email,
        password: PASSWORD,
      });
    expect(claimsOf(answer.body.access_token).sid).not.toBe(sid);
  });

  t.test("grants an audience of the application, and no other (RFC 8707, ASVS 9.2.4)", async (app) => {
    const user = await app.user();
    const api = "https://api.example.com";
    const applicationId = await app.application({ audiences: ["https://main.example.com", api] });
    const client = app.client({ "x-application-id": applicationId });
    const login = (audience?: string) =>
      client.post("/v1/auth/login", { email: user.email, password: PASSWORD, audience });
    const plain = await login();
    expect(claimsOf(plain.body.access_token)).toMatchObject({ aud: "https://main.example.com", scope: "account" });
    const named = await login(api);
    expect(claimsOf(named.body.access_token).aud).toBe(api);
    expect(claimsOf(named.body.access_token).scope).toBeUndefined();
    const foreign = await login("https://elsewhere.example");
    expect([foreign.status, foreign.code]).toEqual([400, "invalid_input"]);
    // A token for a named API resource does not open the account procedures.
    const refused = await app.client().bearer(named.body.access_token).get("/v1/auth/session");
    expect([refused.status, refused.code]).toEqual([403, "insufficient_scope"]);
    expect(refused.headers.get("www-authenticate")).toContain("insufficient_scope");
  });

  t.test("an organization without the user is refused, and leaves no session", async (app) => {
    const user = await app.user();
    const before = await app.state();
    const body = { email: user.email, password: PASSWORD, organization: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f" };
    expect((await app.client().post("/v1/auth/login", body)).code).toBe("invalid_input");
    expect(await app.state()).toBe(before);
  });

  t.test("refuses a password of more than the maximum length before it costs anything", async (app) => {
    const user = await app.user();
    const long = await app.client().post("/v1/auth/login", { email: user.email, password: "x".repeat(4_097) });
    expect([long.status, long.code]).toEqual([400, "invalid_input"]);
    const huge = await app.client().post("/v1/auth/login", { email: user.email, password: "x".repeat(1_000_000) });
    expect([huge.status, huge.code]).toEqual([413, "payload_too_large"]);
    expect(app.metric("sallyport_password_hashes_total")).toBe(0);
  });
});
