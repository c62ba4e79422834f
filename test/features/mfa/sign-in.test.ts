import { expect } from "bun:test";
import { startApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, own, proveAddress, verify } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp, wrongTotp } from "../../support/totp.ts";

const STEP = 30_000;
const HOUR = 3_600_000;

scenarios("sign-in with a second factor", (t) => {
  t.test(
    "password, then code: the session has two factors, and none begins earlier (ASVS 6.3.3, 7.2.4)",
    async (app) => {
      const { user, secret } = await enrolled(app);
      const client = own(app);
      const sessions = () => app.storage.read.kysely.selectFrom("sessions").select("id").execute();
      const before = (await sessions()).length;
      const first = await firstFactor(app, user, client);
      expect([first.status, first.body.status, first.cookies]).toEqual([200, "mfa_required", []]);
      expect(first.body).toMatchObject({
        mfa_token_expires_in: 300,
        methods: ["totp", "recovery_code"],
        setup_required: false,
      });
      expect("access_token" in first.body).toBe(false);
      expect((await sessions()).length).toBe(before);
      const second = await verify(client, first.body.mfa_token, totp(secret, app.clock.now()));
      expect([second.status, second.body.status, second.body.user.id]).toEqual([200, "success", user.id]);
      expect(claimsOf(second.body.access_token)).toMatchObject({
        sub: user.id,
        aal: "aal2",
        auth_method: "password",
        amr: ["pwd", "otp", "mfa"],
        auth_time: Math.floor(app.clock.now() / 1000),
      });
      const who = await app.client().bearer(second.body.access_token).get("/v1/auth/session");
      expect(who.body.session).toMatchObject({ aal: "aal2", amr: ["pwd", "otp", "mfa"] });
      expect(await app.audit()).toContain("session.created");
    },
  );

  t.test("works the same by tRPC, and keeps the first step's request", async (app) => {
    const { user, secret } = await enrolled(app);
    const page = app.page(undefined, { "x-application-id": app.applicationId });
    const first = await page.mutate("auth.login", { ...user.login, delivery: "memory" });
    const { mfa_token } = (first.body as unknown as { result: { data: { mfa_token: string } } }).result.data;
    const second = await page.mutate("auth.mfa.verify", {
      mfa_token,
      method: "totp",
      code: totp(secret, app.clock.now()),
    });
    expect(second.status).toBe(200);
    expect(second.cookies.map(({ name }) => name.split("_")[1])).toEqual(["rt", "dv"]);
  });

  t.test(
    "one code in twenty flows at once signs in once (ASVS 6.5.1)",
    async (app) => {
      const { user, secret } = await enrolled(app);
      const client = own(app);
      const tokens: string[] = [];
      for (let i = 0; i < 20; i++) tokens.push((await firstFactor(app, user, client)).body.mfa_token);
      const code = totp(secret, app.clock.now());
      const answers = await Promise.all(tokens.map((token) => verify(client, token, code)));
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([200, ...Array(19).fill(401)]);
    },
    { settings: { limit_account: "1000/1m", limit_account_total: "1000/1m" } },
  );

  t.test(
    "one flow in twenty requests at once signs in once (ASVS 7.2.4)",
    async (app) => {
      const { user, codes } = await enrolled(app);
      const client = own(app);
      const { mfa_token } = (await firstFactor(app, user, client)).body;
      // Each request has a right proof of its own, so only the flow can refuse.
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          client.post("/v1/auth/mfa/verify", { mfa_token, method: "recovery_code", code: codes[i % 5] }),
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([undefined, "invalid_code"]));
    },
    { settings: { limit_account: "1000/1m" } },
  );

  t.test("a code works once, even after a restart, and then no earlier one works (ASVS 6.5.1, 6.5.8)", async (app) => {
    const { user, secret } = await enrolled(app);
    const client = own(app);
    const attempt = async (code: string, at = client) => {
      const { mfa_token } = (await firstFactor(app, user, at)).body;
      const { status, code: error } = await verify(at, mfa_token, code);
      return status === 200 ? "in" : error;
    };
    const now = app.clock.now();
    expect(await attempt(totp(secret, now, -2))).toBe("invalid_code");
    expect(await attempt(totp(secret, now, 2))).toBe("invalid_code");
    expect(await attempt(totp(secret, now))).toBe("in");
    expect(await attempt(totp(secret, now))).toBe("code_used");
    expect(await attempt(totp(secret, now, -1))).toBe("invalid_code");
    const restarted = await startApp({ beside: app });
    expect(await attempt(totp(secret, now), own(restarted))).toBe("code_used");
    await restarted.close();
    // A fast phone sends this code; after it the code of the right time is spent too.
    expect(await attempt(totp(secret, now, 1))).toBe("in");
    expect(await attempt(totp(secret, now, 1))).toBe("code_used");
    app.clock.advance(STEP);
    expect(await attempt(totp(secret, app.clock.now()))).toBe("code_used");
    app.clock.advance(STEP);
    expect(await attempt(totp(secret, app.clock.now()))).toBe("in");
    const used = totp(secret, app.clock.now());
    // After the clock goes back an hour, neither that hour's codes nor the used code work again.
    app.clock.advance(-HOUR);
    // The limits have a test of their own for such a clock. Here they must not answer first.
    await app.storage.write((tx) => tx.kysely.deleteFrom("rate_limits").execute());
    expect(await attempt(totp(secret, app.clock.now()))).toBe("invalid_code");
    // The limits let one guess pass after such a jump, and the next one later.
    app.clock.advance(HOUR / 2);
    expect(await attempt(used)).toBe("invalid_code");
    app.clock.advance(HOUR / 2 + STEP);
    expect(await attempt(totp(secret, app.clock.now()))).toBe("in");
  });

  t.test(
    "five wrong tries end the flow: a sixth right one is refused, and the owner gets a notice (ASVS 6.3.5, 6.6.3)",
    async (app) => {
      const { user, secret } = await enrolled(app);
      await proveAddress(app, user);
      const client = own(app);
      const { mfa_token } = (await firstFactor(app, user, client)).body;
      for (let i = 0; i < 4; i++) {
        expect((await verify(client, mfa_token, wrongTotp(secret, app.clock.now(), i))).code).toBe("invalid_code");
      }
      await app.mails();
      // A request without an answer is not a try.
      expect((await client.post("/v1/auth/mfa/verify", { mfa_token, method: "totp" })).code).toBe("invalid_input");
      expect((await verify(client, mfa_token, wrongTotp(secret, app.clock.now(), 4))).code).toBe("invalid_code");
      const [notice, ...more] = await app.mails(user.email);
      expect([notice?.template, more]).toEqual(["second_factor_refused", []]);
      expect((await verify(client, mfa_token, totp(secret, app.clock.now()))).code).toBe("invalid_code");
      expect((await client.post("/v1/auth/mfa/challenge", { mfa_token })).code).toBe("invalid_code");
      expect(await app.mails(user.email)).toEqual([]);
      // The user is not locked out: a new flow takes the unspent code.
      const again = await firstFactor(app, user, client);
      expect((await verify(client, again.body.mfa_token, totp(secret, app.clock.now()))).status).toBe(200);
      expect(await app.audit()).toContain("second_factor.refused");
    },
  );

  t.test(
    "of twenty wrong tries at once, five are checked (ASVS 6.6.3)",
    async (app) => {
      const { user, secret } = await enrolled(app);
      const client = own(app);
      const { mfa_token } = (await firstFactor(app, user, client)).body;
      const wrong = wrongTotp(secret, app.clock.now());
      await Promise.all(Array.from({ length: 20 }, () => verify(client, mfa_token, wrong)));
      const flow = await app.storage.read.kysely
        .selectFrom("flows")
        .select("attempts")
        .where("kind", "=", "mfa")
        .where("consumed_at", "is", null)
        .execute();
      expect(flow).toEqual([{ attempts: 5 }]);
      expect((await verify(client, mfa_token, totp(secret, app.clock.now()))).code).toBe("invalid_code");
    },
    { settings: { limit_account: "1000/1m" } },
  );

  t.test("an MFA token lives five minutes, and no longer if the clock is set back (ASVS 6.5.5)", async (app) => {
    const { user, secret } = await enrolled(app);
    const client = own(app);
    const late = (await firstFactor(app, user, client)).body.mfa_token;
    app.clock.advance(299_000);
    const { status } = await verify(client, late, totp(secret, app.clock.now()));
    expect(status).toBe(200);
    const over = (await firstFactor(app, user, client)).body.mfa_token;
    app.clock.advance(300_000);
    expect((await verify(client, over, totp(secret, app.clock.now()))).code).toBe("invalid_code");
    app.clock.advance(-HOUR);
    expect((await client.post("/v1/auth/mfa/challenge", { mfa_token: over })).code).toBe("invalid_code");
  });

  t.test("a wrong password shows and costs the same with and without a second factor (ASVS 6.3.8)", async (app) => {
    const { user: guarded } = await enrolled(app);
    const bare = await app.user();
    const shows = async (email: string) => {
      const hashes = app.metric("sallyport_password_hashes_total");
      const { reads, writes, statementsInWrites } = app.storage;
      const answer = await own(app).post("/v1/auth/login", { email, password: "not-the-right-password" });
      const { request_id: _, ...error } = answer.body.error;
      return {
        status: answer.status,
        error,
        headers: [...answer.headers.keys()].sort(),
        hashes: app.metric("sallyport_password_hashes_total") - hashes,
        reads: app.storage.reads - reads,
        writes: app.storage.writes - writes,
        statements: app.storage.statementsInWrites - statementsInWrites,
      };
    };
    await shows("first@example.com");
    const expected = await shows(bare.email);
    expect(expected).toMatchObject({ status: 401, hashes: 1 });
    expect(await shows(guarded.email)).toEqual(expected);
    expect(await shows("nobody@example.com")).toEqual(expected);
  });

  t.test("a user without a second factor pays two point reads for it", async (app) => {
    const user = await app.user();
    await firstFactor(app, user);
    const count = async (mfa: "off" | "optional") => {
      await app.storage.write((tx) => tx.kysely.updateTable("applications").set({ mfa }).execute());
      app.forget();
      await firstFactor(app, user);
      const { reads, statementsInWrites } = app.storage;
      await firstFactor(app, user);
      return app.storage.reads - reads + app.storage.statementsInWrites - statementsInWrites;
    };
    expect((await count("optional")) - (await count("off"))).toBeLessThanOrEqual(2);
  });
});
