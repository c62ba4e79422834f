import { expect } from "bun:test";
import {
  addPasskey,
  beginSignIn,
  caller,
  completeSignIn,
  holder,
  newAuthenticator,
  signInWith,
} from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";
import { claimsOf } from "../../support/tokens.ts";

scenarios("sign-in with a passkey", (t) => {
  for (const algorithm of ["ES256", "EdDSA", "RS256"] as const) {
    t.test(
      `${algorithm}: the request names no user, and a verified owner counts as two factors (ASVS 6.3.3, 6.3.4)`,
      async (app) => {
        const { user, authenticator } = await holder(app, newAuthenticator({ algorithm }));
        const { public_key, expires_in } = await beginSignIn(caller(app));
        expect(public_key as unknown).toEqual({
          challenge: expect.stringMatching(/^[\w-]{43}$/),
          rpId: "localhost",
          allowCredentials: [],
          timeout: 600_000,
          userVerification: "preferred",
        });
        expect(expires_in).toBe(600);
        const answer = await signInWith(caller(app), authenticator);
        expect([answer.status, answer.body.status, answer.body.user.id]).toEqual([200, "success", user.id]);
        const claims = claimsOf(answer.body.access_token);
        expect(claims).toMatchObject({ auth_method: "passkey", aal: "aal2" });
        const { body } = await app.client().bearer(answer.body.access_token).get("/v1/auth/session");
        expect(body.session).toMatchObject({ auth_method: "passkey", aal: "aal2", amr: ["swk", "user", "mfa"] });
      },
    );
  }

  t.test(
    "without user verification counts as one factor, and says whether the key can leave its device",
    async (app) => {
      const authenticator = newAuthenticator({ verifiesUser: false, backupEligible: false, backedUp: false });
      await holder(app, authenticator);
      const answer = await signInWith(caller(app), authenticator);
      const { body } = await app.client().bearer(answer.body.access_token).get("/v1/auth/session");
      expect(body.session).toMatchObject({ aal: "aal1", amr: ["hwk", "user"] });
    },
  );

  t.test("where a second factor is required, one factor opens its set-up and nothing else", async (app) => {
    const id = await app.application({ mfa: "required", origins: ["https://app.example.com"] });
    const weak = newAuthenticator({ verifiesUser: false });
    await holder(app, weak);
    app.clock.advance(1_000);
    const there = app.client({ "x-application-id": id });
    const asked = await signInWith(there, weak);
    expect(asked.body as unknown).toMatchObject({ status: "mfa_required", methods: [], setup_required: true });
    expect(asked.cookies).toEqual([]);
    // The same key, now with verification, counts as both factors.
    expect((await signInWith(there, weak, { userVerified: true })).body.status).toBe("success");
  });

  t.test("keeps the counter, the backup state and the last use", async (app) => {
    const authenticator = newAuthenticator({ counts: true });
    const { client, passkey } = await holder(app, authenticator);
    expect(passkey).toMatchObject({ last_used_at: null, backed_up: true, backup_eligible: true });
    app.clock.advance(60_000);
    expect((await signInWith(caller(app), authenticator, { backedUp: false })).status).toBe(200);
    const { body } = await client.get("/v1/me/passkeys");
    const [listed] = body.data as unknown[];
    expect(listed).toEqual({
      ...passkey,
      backed_up: false,
      last_used_at: new Date(Math.floor(app.clock.now() / 1000) * 1000).toISOString(),
    });
    const row = await app.storage.read.kysely.selectFrom("passkeys").selectAll().executeTakeFirstOrThrow();
    expect([row.counter, row.is_backed_up]).toEqual([1, 0]);
  });

  t.test("delivers like every sign-in: cookies to a page, and the end of the session that came along", async (app) => {
    const { authenticator } = await holder(app);
    const page = app.page(undefined, { "x-application-id": app.applicationId });
    const first = await signInWith(page, authenticator);
    expect(first.body.refresh_token).toBeNull();
    expect(first.cookies.length).toBeGreaterThanOrEqual(2);
    const second = await signInWith(page, authenticator);
    expect(second.status).toBe(200);
    expect((await app.client().bearer(first.body.access_token).get("/v1/auth/session")).code).toBe("token_revoked");
    expect((await app.client().bearer(second.body.access_token).get("/v1/auth/session")).status).toBe(200);
  });

  t.test("of twenty answers to one challenge at once, one is accepted (ASVS 6.5.1)", async (app) => {
    const { user, authenticator } = await holder(app);
    const { flow_id, public_key } = await beginSignIn(caller(app));
    const before = await sessionsOf(user.id);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => completeSignIn(caller(app), flow_id, authenticator.get(public_key))),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
    expect(await sessionsOf(user.id)).toBe(before + 1);

    async function sessionsOf(id: string) {
      const rows = await app.storage.read.kysely
        .selectFrom("sessions")
        .select("id")
        .where("user_id", "=", id)
        .execute();
      return rows.length;
    }
  });

  t.test("one passkey serves the applications of its tenant that share the domain", async (app) => {
    const { authenticator } = await holder(app);
    const twin = await app.application({ origins: ["https://app.example.com"] });
    expect((await signInWith(app.client({ "x-application-id": twin }), authenticator)).status).toBe(200);
    const other = await app.application({ origins: ["https://app.example.com"], passkey_rp_id: "example.com" });
    const there = app.client({ "x-application-id": other });
    const { flow_id, public_key } = await beginSignIn(there);
    expect(public_key.rpId).toBe("example.com");
    const [credential] = authenticator.held;
    if (!credential) throw new Error("nothing is held");
    // Refused even if the authenticator signs for the other domain: the passkey was made for this one.
    const forged = authenticator.assert(credential, public_key.challenge, { rpId: "example.com" });
    expect((await completeSignIn(there, flow_id, forged)).code).toBe("invalid_code");
  });

  t.test("pages on the appliance's own origin may ask too", async (app) => {
    const authenticator = newAuthenticator({ origin: app.publicUrl });
    await holder(app, authenticator);
    expect((await signInWith(caller(app), authenticator)).status).toBe(200);
  });

  t.test(
    "limits the challenges of one network (ASVS 6.3.1)",
    async (app) => {
      const statuses: number[] = [];
      for (let i = 0; i < 4; i++) statuses.push((await caller(app).post("/v1/auth/passkey/login/begin")).status);
      expect(statuses).toEqual([200, 200, 200, 429]);
      const { client } = { client: app.client().bearer((await app.signedIn()).tokens.accessToken) };
      expect((await client.post("/v1/me/passkeys/begin")).status).toBe(429);
    },
    { settings: { limit_network: "3/10m" } },
  );

  t.test("two passkeys of one person stay two", async (app) => {
    const { client, user, authenticator } = await holder(app);
    const second = newAuthenticator({ algorithm: "EdDSA" });
    await addPasskey(client.bearer((await signInWith(caller(app), authenticator)).body.access_token), second);
    expect((await signInWith(caller(app), second)).body.user.id).toBe(user.id);
  });
});
