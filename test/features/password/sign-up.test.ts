import { expect } from "bun:test";
import { callerOf, emailsOf, NEW_PASSWORD, proofOf, setApplication, signUp } from "../../support/mail-proofs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";

const complete = "/v1/auth/register/complete";

scenarios("sign-up with proven addresses", (t) => {
  t.test("creates no user before the mail is answered; then signs in a verified person", async (app) => {
    await setApplication(app, app.applicationId, { sign_up: "verified" });
    const client = callerOf(app);
    const body = { email: "Ada@Example.com", password: NEW_PASSWORD, display_name: "Ada", metadata: { plan: "free" } };
    const sent = await client.post("/v1/auth/register", body);
    expect([sent.status, sent.body as unknown, sent.cookies]).toEqual([
      202,
      { status: "sent", flow_id: expect.any(String), expires_in: 600 },
      [],
    ]);
    for (const table of ["users", "user_emails", "password_credentials", "sessions"] as const) {
      expect([table, await app.storage.read.kysely.selectFrom(table).selectAll().execute()]).toEqual([table, []]);
    }
    expect((await client.post("/v1/auth/login", { email: body.email, password: NEW_PASSWORD })).status).toBe(401);
    const mail = await app.mail("Ada@example.com");
    expect(mail.template).toBe("sign_up");
    expect(mail.text).toContain(mail.code ?? "no code");
    const made = await client.post(complete, {
      flow_id: sent.body.flow_id,
      code: mail.code,
      password: NEW_PASSWORD,
      delivery: "memory",
    });
    expect(made.status).toBe(201);
    expect(made.body.user).toMatchObject({
      email: "Ada@example.com",
      email_verified: true,
      display_name: "Ada",
      metadata: { plan: "free" },
    });
    expect(await app.audit()).toEqual(["sign_in.refused", "user.created", "session.created"]);
    expect((await client.post("/v1/auth/login", { email: body.email, password: NEW_PASSWORD })).status).toBe(200);
    expect(app.metric("sallyport_password_hashes_total")).toBe(3);
  });

  t.test("takes the password that comes with the proof, and never the one of the request", async (app) => {
    const stranger = "walrus-candle-thirty-fox";
    app.secrets.add(stranger);
    await setApplication(app, app.applicationId, { sign_up: "verified" });
    const email = "owner@example.com";
    const client = callerOf(app);
    for (const password of [stranger, undefined, null]) {
      const { token } = await proofOf(app, email, client.post("/v1/auth/register", { email, password }));
      expect((await client.post(complete, { token })).code).toBe("invalid_input");
      const weak = await client.post(complete, { token, password: "passwordpassword" });
      expect([weak.code, JSON.stringify(weak.body.error.details)]).toEqual([
        "invalid_input",
        expect.stringContaining('"path":"password"'),
      ]);
    }
    const { token, mail } = await proofOf(app, email, client.post("/v1/auth/register", { email, password: stranger }));
    expect(mail.text).toMatch(/Asked for by: Bun\nNetwork address: 127\.0\.0\.1\nTime: 2026-03-01 12:00 UTC/);
    expect((await client.post(complete, { token, password: NEW_PASSWORD })).status).toBe(201);
    expect((await client.post("/v1/auth/login", { email, password: stranger })).code).toBe("invalid_credentials");
    expect((await client.post("/v1/auth/login", { email, password: NEW_PASSWORD })).status).toBe(200);
  });

  t.test("asks for the password at once where no proof is asked for", async (app) => {
    const refused = await callerOf(app).post("/v1/auth/register", { email: "ada@example.com" });
    expect([refused.status, refused.body.error.details]).toEqual([400, [{ path: "password", reason: "is needed" }]]);
  });

  t.test("two sign-ups verified for one address at once create one account, and the others learn why", async (app) => {
    const email = "ada@example.com";
    const proofs = [await signUp(app, email), await signUp(app, email), await signUp(app, email)];
    const answers = await Promise.all(
      proofs.map(({ token }) => callerOf(app).post(complete, { password: NEW_PASSWORD, token })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.error.details).toEqual([
      { path: "email", reason: "is taken" },
    ]);
    for (const table of ["users", "user_emails", "sessions"] as const) {
      expect(await app.storage.read.kysely.selectFrom(table).selectAll().execute()).toHaveLength(1);
    }
  });

  t.test(
    "an address that was taken meanwhile stays with its account, and so does the account's password",
    async (app) => {
      const email = "ada@example.com";
      const late = await signUp(app, email);
      const owner = await app.user(email);
      const before = await app.state();
      const refused = await callerOf(app).post(complete, { password: NEW_PASSWORD, token: late.token });
      expect([refused.status, refused.code, refused.cookies]).toEqual([409, "conflict", []]);
      expect(await app.state()).toBe(before);
      expect((await callerOf(app).post("/v1/auth/login", owner.login)).status).toBe(200);
      expect((await callerOf(app).post("/v1/auth/login", { email, password: NEW_PASSWORD })).status).toBe(401);
    },
  );

  t.test("a sign-up with a known address gets a mail that says so, and where to go", async (app) => {
    const home_url = "https://app.example.com/home";
    await setApplication(app, app.applicationId, { sign_up: "verified", home_url });
    await app.user("ada@example.com");
    const sent = await callerOf(app).post("/v1/auth/register", { email: "ADA@example.com", password: NEW_PASSWORD });
    expect(sent.status).toBe(202);
    const mail = await app.mail("ada@example.com");
    expect(mail.template).toBe("sign_up_known");
    expect(mail.text).toContain(home_url);
    // The flow exists, and only a guess could open it.
    const guess = await callerOf(app).post(complete, {
      flow_id: sent.body.flow_id,
      code: "0000 000",
      password: NEW_PASSWORD,
    });
    expect(guess.code).toBe("invalid_code");
    expect((await callerOf(app).post("/v1/auth/login", { email: "ada@example.com", password: PASSWORD })).status).toBe(
      200,
    );
  });

  t.test("applications that are closed, for machines or without passwords sign nobody up", async (app) => {
    const { token } = await signUp(app);
    const body = { email: "ada@example.com", password: NEW_PASSWORD };
    const settings = [
      { type: "m2m" },
      { type: "web", sign_up: "closed" },
      { sign_up: "verified", sign_in_methods: '["passkey","magic_link"]' },
    ] as const;
    for (const changes of settings) {
      await setApplication(app, app.applicationId, changes);
      const before = await app.state();
      for (const [path, json] of [
        ["/v1/auth/register", body],
        [complete, { token, password: NEW_PASSWORD }],
      ] as const) {
        const refused = await callerOf(app).post(path, json);
        expect([path, refused.status, refused.code]).toEqual([path, 403, "forbidden"]);
      }
      expect(await app.state()).toBe(before);
    }
    expect((await callerOf(app).post("/v1/auth/password/forgot", { email: body.email })).status).toBe(403);
    expect((await callerOf(app).post("/v1/auth/password/reset", { token, new_password: PASSWORD })).status).toBe(403);
    expect(await app.mailsWritten()).toBe(1);
    await setApplication(app, app.applicationId, { sign_in_methods: '["password"]' });
    expect((await callerOf(app).post(complete, { password: NEW_PASSWORD, token })).status).toBe(201);
  });

  t.test("the session that the browser brought along ends; a page gets cookies and no refresh token", async (app) => {
    const { token } = await signUp(app);
    const page = app.page(undefined, { "x-application-id": app.applicationId });
    const user = await app.user();
    await page.post("/v1/auth/login", user.login);
    const before = [...(page.jar?.values() ?? [])].find(({ name }) => name.includes("_at"))?.value ?? "";
    const made = await page.post(complete, { password: NEW_PASSWORD, token });
    expect([made.status, made.body.refresh_token, made.cookies.length]).toEqual([201, null, 3]);
    expect((await app.client().bearer(before).get("/v1/auth/session")).code).toBe("token_revoked");
  });

  t.test("asks for a required second factor before there are tokens", async (app) => {
    const { token } = await signUp(app);
    await setApplication(app, app.applicationId, { mfa: "required" });
    const made = await callerOf(app).post(complete, { password: NEW_PASSWORD, token });
    expect([made.status, made.body.status, made.cookies]).toEqual([201, "mfa_required", []]);
  });

  t.test("has the password policy of any other sign-up (ASVS 6.2.1, 6.2.4, 6.2.11)", async (app) => {
    await setApplication(app, app.applicationId, { sign_up: "verified" });
    for (const password of ["fourteen-chars", "passwordpassword", "ada.lovelace.engine@example.com"]) {
      const body = { email: "ada.lovelace.engine@example.com", password };
      const refused = await callerOf(app).post("/v1/auth/register", body);
      expect([password, refused.status]).toEqual([password, 400]);
    }
    expect(await app.mailsWritten()).toBe(0);
  });

  t.test("a tenant's link names that tenant, and opens only there", async (app) => {
    const acme = await app.tenant("acme");
    await setApplication(app, acme.defaultApplicationId, { sign_up: "verified" });
    const email = "ada@example.com";
    const body = { email, password: NEW_PASSWORD };
    const proof = await proofOf(app, email, app.client().post("/t/acme/v1/auth/register", body));
    expect(proof.mail.text).toContain(`${acme.issuer}/link#${proof.token}`);
    expect((await app.client().post(complete, { password: NEW_PASSWORD, token: proof.token })).code).toBe(
      "invalid_code",
    );
    const made = await app.client().post(`/t/acme${complete}`, { password: NEW_PASSWORD, token: proof.token });
    expect(made.status).toBe(201);
    expect(await emailsOf(app, made.body.user)).toEqual(["ada@example.com*"]);
  });
});
