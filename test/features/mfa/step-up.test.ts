import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, own, verify } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp, wrongTotp } from "../../support/totp.ts";

const MINUTE = 60_000;
/** Needs a fresh sign-in, with two factors from a user who has two. */
const FRESH = "/v1/auth/mfa/recovery-codes";

/** Returns a session of one factor for a user with two, from an application that asks for one. */
async function weakSession(app: TestApp) {
  const person = await enrolled(app);
  const applicationId = await app.application({ mfa: "off" });
  const tokens = await app.signIn(person.user, applicationId);
  return { person, tokens, client: app.client().bearer(tokens.accessToken) };
}

scenarios("step-up (RFC 9470; ASVS 7.5.1, 7.5.3)", (t) => {
  t.test(
    "the refusal names the proof that would do, in the header and in the details, on both transports",
    async (app) => {
      const { client } = await weakSession(app);
      const weak = await client.post(FRESH);
      expect([weak.status, weak.code]).toEqual([401, "insufficient_user_authentication"]);
      expect(weak.headers.get("www-authenticate")).toBe(
        'Bearer error="insufficient_user_authentication", acr_values="aal2"',
      );
      expect(weak.body.error.details).toEqual({ acr_values: "aal2", max_age: null });
      app.clock.advance(11 * MINUTE);
      const both = await client.post(FRESH);
      expect(both.headers.get("www-authenticate")).toBe(
        'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age="600"',
      );
      expect(both.body.error.details).toEqual({ acr_values: "aal2", max_age: 600 });
      const trpc = await client.mutate("auth.mfa.recoveryCodes");
      expect([trpc.status, trpc.text.includes("insufficient_user_authentication")]).toEqual([401, true]);
      const { tokens } = await app.signedIn();
      app.clock.advance(10 * MINUTE + 1000);
      const late = await app.client().bearer(tokens.accessToken).post(FRESH);
      expect(late.headers.get("www-authenticate")).toBe(
        'Bearer error="insufficient_user_authentication", max_age="600"',
      );
    },
  );

  t.test(
    "ten minutes count as fresh to the second, and a setting changes them",
    async (app) => {
      const { tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      // The session's instant is a whole second, 250 ms before the clock's.
      app.clock.advance(2 * MINUTE - 250);
      expect((await client.post("/v1/auth/mfa/setup")).status).toBe(200);
      app.clock.advance(1);
      const late = await client.post("/v1/auth/mfa/setup");
      expect(late.body.error.details).toEqual({ acr_values: null, max_age: 120 });
    },
    { settings: { fresh_sign_in_ttl: "120" } },
  );

  t.test("a code raises the session, under a new id; the old one and its tokens end (ASVS 7.2.4)", async (app) => {
    const { person, tokens, client } = await weakSession(app);
    app.clock.advance(11 * MINUTE);
    const challenge = await client.post("/v1/auth/mfa/challenge");
    expect(challenge.body).toMatchObject({ methods: ["totp", "recovery_code"], passkey: null });
    const code = totp(person.secret, app.clock.now());
    const step = await client.post("/v1/auth/mfa/verify", { method: "totp", code });
    expect(step.status).toBe(200);
    const claims = claimsOf(step.body.access_token);
    expect(claims).toMatchObject({
      aal: "aal2",
      amr: ["pwd", "otp", "mfa"],
      auth_method: "password",
      auth_time: Math.floor(app.clock.now() / 1000),
      aud: claimsOf(tokens.accessToken).aud,
    });
    expect(claims.sid).not.toBe(tokens.session.sid);
    expect((await client.get("/v1/auth/session")).code).toBe("token_revoked");
    const refresh = { refresh_token: tokens.refreshToken };
    expect((await app.client().post("/v1/auth/refresh", refresh)).status).toBe(401);
    expect((await app.client().bearer(step.body.access_token).post(FRESH)).status).toBe(200);
    // The code is spent for a sign-in too.
    const { mfa_token } = (await firstFactor(app, person.user)).body;
    expect((await verify(own(app), mfa_token, code)).code).toBe("code_used");
  });

  t.test("a refused proof leaves the session as it was", async (app) => {
    const { person, client } = await weakSession(app);
    const wrong = wrongTotp(person.secret, app.clock.now());
    expect((await client.post("/v1/auth/mfa/verify", { method: "totp", code: wrong })).code).toBe("invalid_code");
    expect((await client.post("/v1/auth/mfa/verify", { method: "totp" })).code).toBe("invalid_input");
    expect((await client.get("/v1/auth/session")).body.session.aal).toBe("aal1");
    const bare = await app.signedIn();
    const nobody = app.client().bearer(bare.tokens.accessToken);
    expect((await nobody.post("/v1/auth/mfa/verify", { method: "totp", code: "123456" })).code).toBe("invalid_code");
    expect((await nobody.post("/v1/auth/mfa/challenge")).body.methods).toEqual([]);
  });

  t.test(
    "twenty requests at once with one code raise one session (ASVS 6.5.1)",
    async (app) => {
      const { person, client } = await weakSession(app);
      const code = totp(person.secret, app.clock.now());
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => client.post("/v1/auth/mfa/verify", { method: "totp", code })),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      const live = await app.storage.read.kysely
        .selectFrom("sessions")
        .select("aal")
        .where("ended_at", "is", null)
        .where("application_id", "!=", app.applicationId)
        .execute();
      expect(live).toEqual([{ aal: "aal2" }]);
    },
    { settings: { limit_account: "1000/1m" } },
  );

  t.test(
    "of twenty requests with different proofs one wins, and the session is replaced once",
    async (app) => {
      const { person, client } = await weakSession(app);
      const answers = await Promise.all(
        person.codes.map((code) => client.post("/v1/auth/mfa/verify", { method: "recovery_code", code })),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      const refused = answers.filter(({ status }) => status !== 200);
      expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(["token_revoked"]));
      // The losing requests have spent nothing.
      const unused = await app.storage.read.kysely
        .selectFrom("recovery_codes")
        .select("digest")
        .where("used_at", "is", null)
        .execute();
      expect(unused).toHaveLength(9);
    },
    { settings: { limit_account: "1000/1m" } },
  );

  t.test("a session that has ended, or whose user is deleted, cannot step up", async (app) => {
    const { person, client } = await weakSession(app);
    const code = totp(person.secret, app.clock.now());
    await client.post("/v1/auth/logout");
    expect((await client.post("/v1/auth/mfa/verify", { method: "totp", code })).code).toBe("token_revoked");
    const other = await weakSession(app);
    await app.disable("users", other.person.user.id);
    const body = { method: "totp", code: totp(other.person.secret, app.clock.now()) };
    expect((await other.client.post("/v1/auth/mfa/verify", body)).code).toBe("token_revoked");
  });
});
