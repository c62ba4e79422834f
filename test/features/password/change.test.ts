import { expect } from "bun:test";
import { beforeWrite } from "../../support/between.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";

const NEXT = "granite-lantern-moth-88";
const change = { current_password: PASSWORD, new_password: NEXT };

scenarios("POST /v1/auth/password/change", (t) => {
  t.test("changes it and ends every other session, in every application (ASVS 6.2.2, 6.2.3, 7.4.3)", async (app) => {
    const { user, tokens } = await app.signedIn();
    const others = [await app.signIn(user), await app.signIn(user, app.defaultApplicationId)];
    const { tokens: stranger } = await app.signedIn();
    const answer = await app.client().bearer(tokens.accessToken).post("/v1/auth/password/change", change);
    expect([answer.status, answer.body as unknown]).toEqual([200, { status: "success" }]);
    for (const { accessToken, refreshToken } of others) {
      expect((await app.client().bearer(accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
      expect((await app.client().post("/v1/auth/refresh", { refresh_token: refreshToken })).code).toBe("token_revoked");
    }
    for (const { accessToken } of [tokens, stranger]) {
      expect((await app.client().bearer(accessToken).get("/v1/auth/session")).status).toBe(200);
    }
    expect((await app.client().post("/v1/auth/login", user.login)).code).toBe("invalid_credentials");
    expect((await app.client().post("/v1/auth/login", { ...user.login, password: NEXT })).status).toBe(200);
    const told = (await app.audit()).filter((action) => action !== "session.created");
    expect(told).toEqual(["password.changed", "session.ended", "session.ended", "sign_in.refused"]);
    const row = await app.storage.read.kysely
      .selectFrom("password_credentials")
      .selectAll()
      .where("user_id", "=", user.id)
      .executeTakeFirstOrThrow();
    expect(row.version).toBe(2);
  });

  t.test("needs the current password, and a refusal changes nothing (ASVS 6.2.3)", async (app) => {
    const { tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const before = await app.state();
    const wrong = await client.post("/v1/auth/password/change", { ...change, current_password: "not-the-right-one-3" });
    expect([wrong.status, wrong.code]).toEqual([401, "invalid_credentials"]);
    for (const [body, path] of [
      [{ ...change, new_password: PASSWORD }, "new_password"],
      [{ ...change, new_password: "short" }, "new_password"],
      [{ ...change, new_password: "passwordpassword" }, "new_password"],
      [{ new_password: NEXT }, "current_password"],
      [{ ...change, user_id: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f" }, "user_id"],
      [{ ...change, email: "eve@example.com" }, "email"],
    ] as const) {
      const refused = await client.post("/v1/auth/password/change", body);
      expect([refused.status, refused.body.error.details]).toMatchObject([400, [{ path }]]);
    }
    expect((await app.client().post("/v1/auth/password/change", change)).code).toBe("authentication_required");
    expect((await app.client().bearer(app.secretKey).post("/v1/auth/password/change", change)).status).toBe(401);
    expect(await app.state()).toBe(before);
  });

  t.test(
    "throttles guesses at the current password like sign-ins (ASVS 6.3.1)",
    async (app) => {
      const { tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      const statuses: number[] = [];
      for (let i = 0; i < 5; i++) {
        const guess = { ...change, current_password: `guess-number-${i}-of-many` };
        statuses.push((await client.post("/v1/auth/password/change", guess)).status);
      }
      expect(statuses).toEqual([401, 401, 401, 429, 429]);
      expect((await client.get("/v1/auth/session")).status).toBe(200);
    },
    { settings: { limit_device: "3/10m" } },
  );

  t.test(
    "the right current password clears the wrong tries before it",
    async (app) => {
      const { tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      const attempt = async (current_password: string, new_password: string) =>
        (await client.post("/v1/auth/password/change", { current_password, new_password })).status;
      for (const _ of [1, 2]) expect(await attempt("not-the-right-one-3", NEXT)).toBe(401);
      expect(await attempt(PASSWORD, NEXT)).toBe(200);
      for (const _ of [1, 2, 3]) expect(await attempt("not-the-right-one-3", PASSWORD)).toBe(401);
      expect(await attempt(NEXT, PASSWORD)).toBe(429);
    },
    { settings: { limit_device: "3/10m" } },
  );

  t.test("refuses a sign-in that was hashing the old password meanwhile (ASVS 7.4.3)", async (app) => {
    const { user, tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    // The first write counts the attempt, the second would begin the session.
    beforeWrite(app, 2, async () => {
      expect((await client.post("/v1/auth/password/change", change)).status).toBe(200);
    });
    const late = await app.client().post("/v1/auth/login", user.login);
    expect([late.status, late.code]).toEqual([401, "invalid_credentials"]);
    const live = await app.storage.read.kysely
      .selectFrom("sessions")
      .select("id")
      .where("ended_at", "is", null)
      .execute();
    expect(live).toEqual([{ id: tokens.session.sid }]);
  });

  t.test("the new one must not hold the address, the name or the application's name (ASVS 6.2.11)", async (app) => {
    const email = "ada.lovelace.engine@example.com";
    const user = await app.user(email);
    const tokens = await app.signIn(user);
    const client = app.client().bearer(tokens.accessToken);
    for (const candidate of [email, email.toUpperCase(), "ada.lovelace.engine", "My application My application"]) {
      const refused = await client.post("/v1/auth/password/change", { ...change, new_password: candidate });
      expect([candidate, refused.status]).toEqual([candidate, 400]);
    }
  });
});
