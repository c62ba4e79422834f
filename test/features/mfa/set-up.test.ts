import { expect } from "bun:test";
import { enablePending, findTotp, putPending } from "../../../src/features/mfa/store.ts";
import { TotpFactor } from "../../../src/features/mfa/totp-factor.ts";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, own, policy, proveAddress, verify } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp, wrongTotp } from "../../support/totp.ts";

const SETUP = "/v1/auth/mfa/setup";
const ENABLE = "/v1/auth/mfa/enable";
const DISABLE = "/v1/auth/mfa/disable";
const MINUTE = 60_000;

async function statusOf(app: TestApp, token: string): Promise<number> {
  return (await app.client().bearer(token).get("/v1/auth/session")).status;
}

scenarios("the set-up of an authenticator app", (t) => {
  t.test(
    "a code of the new secret enables it, under a new session; other sessions end, and the owner gets a notice (ASVS 6.3.7, 7.2.4, 7.4.3)",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      await proveAddress(app, user);
      const elsewhere = await app.signIn(user);
      const inAnother = await app.signIn(user, await app.application());
      const client = app.client().bearer(tokens.accessToken);
      const begun = await client.post(SETUP);
      expect(begun.status).toBe(200);
      const { secret, otpauth_uri: uri, qr_svg: svg } = begun.body;
      expect(secret).toMatch(/^[A-Z2-7]{32}$/);
      expect(Object.fromEntries(new URL(uri).searchParams)).toMatchObject({ secret, algorithm: "SHA1", digits: "6" });
      expect(decodeURIComponent(new URL(uri).pathname)).toEndWith(`:${user.email}`);
      expect(svg).toStartWith("<svg");
      // Sign-in asks for no second factor before a code has come.
      expect((await firstFactor(app, user)).body.status).toBe("success");
      const code = totp(secret ?? "", app.clock.now());
      const done = await client.post(ENABLE, { code });
      expect([done.status, done.body.recovery_codes.length]).toEqual([200, 10]);
      const claims = claimsOf(done.body.access_token);
      expect(claims).toMatchObject({ aal: "aal2", amr: ["pwd", "otp", "mfa"], auth_method: "password" });
      expect(claims.sid).not.toBe(tokens.session.sid);
      expect(await statusOf(app, done.body.access_token)).toBe(200);
      for (const ended of [tokens, elsewhere, inAnother]) expect(await statusOf(app, ended.accessToken)).toBe(401);
      const subjects = (await app.mails(user.email)).map(({ subject }) => subject);
      expect(subjects.filter((subject) => !subject.startsWith("New sign-in"))).toEqual([
        "A way to sign in was added at My application",
      ]);
      expect(await app.audit()).toContain("factor.added");
      // The code that enabled the app is spent.
      const { mfa_token } = (await firstFactor(app, user)).body;
      expect((await verify(own(app), mfa_token, code)).code).toBe("code_used");
    },
  );

  t.test(
    "of twenty requests at once with one code, one enables it (ASVS 6.5.1)",
    async (app) => {
      const { tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      const { secret } = (await client.post(SETUP)).body;
      const code = totp(secret ?? "", app.clock.now());
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.post(ENABLE, { code })));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 401]));
      const rows = await app.storage.read.kysely.selectFrom("recovery_codes").select("digest").execute();
      expect(rows).toHaveLength(10);
    },
    { settings: { limit_device: "1000/1m" } },
  );

  t.test(
    "refuses enable before set-up, after ten minutes, twice, from another session, or with an older secret",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      expect((await client.post(ENABLE, { code: "123456" })).code).toBe("invalid_code");
      const older = (await client.post(SETUP)).body.secret ?? "";
      const newer = (await client.post(SETUP)).body.secret ?? "";
      expect(newer).not.toBe(older);
      expect((await client.post(ENABLE, { code: totp(older, app.clock.now()) })).code).toBe("invalid_code");
      const another = app.client().bearer((await app.signIn(user)).accessToken);
      expect((await another.post(ENABLE, { code: totp(newer, app.clock.now()) })).code).toBe("invalid_code");
      expect((await client.post(ENABLE, { code: wrongTotp(newer, app.clock.now()) })).code).toBe("invalid_code");
      app.clock.advance(10 * MINUTE);
      expect((await client.post(ENABLE, { code: totp(newer, app.clock.now()) })).code).toBe("invalid_code");
      const fresh = app.client().bearer((await app.signIn(user)).accessToken);
      const secret = (await fresh.post(SETUP)).body.secret ?? "";
      const done = await fresh.post(ENABLE, { code: totp(secret, app.clock.now()) });
      expect(done.status).toBe(200);
      const after = app.client().bearer(done.body.access_token);
      expect((await after.post(ENABLE, { code: totp(secret, app.clock.now(), 1) })).code).toBe("invalid_code");
    },
  );

  t.test("needs a fresh session, with the factor if the user has one (ASVS 7.5.1)", async (app) => {
    const { user, tokens } = await app.signedIn();
    app.clock.advance(11 * MINUTE);
    const late = await app.client().bearer(tokens.accessToken).post(SETUP);
    expect([late.status, late.code]).toEqual([401, "insufficient_user_authentication"]);
    expect(late.body.error.details).toEqual({ acr_values: null, max_age: 600 });
    await enrolled(app, user);
    // A session of an application that asks for no second factor.
    const lax = await app.signIn(user, await app.application({ mfa: "off" }));
    for (const path of ["/v1/auth/mfa/recovery-codes", DISABLE]) {
      const weak = await app.client().bearer(lax.accessToken).post(path);
      expect([path, weak.status, weak.body.error.details]).toEqual([path, 401, { acr_values: "aal2", max_age: null }]);
    }
    expect((await app.client().bearer(lax.accessToken).post(SETUP)).code).toBe("insufficient_user_authentication");
  });

  t.test("on a new phone the old app works until the new one has shown a code", async (app) => {
    const { user, secret: old, codes, tokens } = await enrolled(app);
    const client = app.client().bearer(tokens.access_token);
    const next = (await client.post(SETUP)).body.secret ?? "";
    const { mfa_token } = (await firstFactor(app, user)).body;
    expect((await verify(own(app), mfa_token, totp(next, app.clock.now()))).code).toBe("invalid_code");
    expect((await verify(own(app), mfa_token, totp(old, app.clock.now()))).status).toBe(200);
    const done = await client.post(ENABLE, { code: totp(next, app.clock.now()) });
    expect(done.status).toBe(200);
    app.clock.advance(MINUTE);
    const flow = (await firstFactor(app, user)).body.mfa_token;
    expect((await verify(own(app), flow, totp(old, app.clock.now()))).code).toBe("invalid_code");
    const recovery = { mfa_token: flow, method: "recovery_code", code: codes[0] };
    expect((await own(app).post("/v1/auth/mfa/verify", recovery)).code).toBe("invalid_code");
    expect((await verify(own(app), flow, totp(next, app.clock.now()))).status).toBe(200);
  });

  t.test(
    "removal ends the question for a factor, the codes and the other sessions, and sends a notice (ASVS 6.3.7, 6.5.6, 7.4.3)",
    async (app) => {
      const { user, secret, tokens } = await enrolled(app);
      await proveAddress(app, user);
      const { mfa_token: flow } = (await firstFactor(app, user)).body;
      const elsewhere = await verify(own(app), flow, totp(secret, app.clock.now()));
      const open = (await firstFactor(app, user)).body.mfa_token;
      const client = app.client().bearer(tokens.access_token);
      expect((await client.post(DISABLE)).body.status).toBe("success");
      expect(await statusOf(app, tokens.access_token)).toBe(200);
      expect(await statusOf(app, elsewhere.body.access_token)).toBe(401);
      expect((await own(app).post("/v1/auth/mfa/challenge", { mfa_token: open })).code).toBe("invalid_code");
      expect((await app.mails(user.email)).at(-1)?.template).toBe("factor_removed");
      expect((await firstFactor(app, user)).body.status).toBe("success");
      for (const table of ["totp_factors", "recovery_codes"] as const) {
        expect(await app.storage.read.kysely.selectFrom(table).select("user_id").execute()).toEqual([]);
      }
      expect((await client.post(DISABLE)).code).toBe("conflict");
      expect(await app.audit()).toContain("factor.removed");
    },
  );

  t.test("the last factor stays where the application requires one, and can be replaced", async (app) => {
    const { tokens } = await enrolled(app);
    await policy(app, { mfa: "required" });
    const client = app.client().bearer(tokens.access_token);
    const before = await app.state();
    expect((await client.post(DISABLE)).code).toBe("forbidden");
    expect(await app.state()).toBe(before);
    expect((await client.post(SETUP)).status).toBe(200);
  });

  t.test("a deleted user leaves no factor; an unfinished set-up is deleted after a day", async (app) => {
    const { user } = await enrolled(app);
    const undone = await app.signedIn();
    await app.client().bearer(undone.tokens.accessToken).post(SETUP);
    const other = await enrolled(app);
    await app.client().bearer(other.tokens.access_token).post(SETUP);
    await app.client().bearer(app.secretKey).delete(`/v1/users/${user.id}`);
    const left = () =>
      app.storage.read.kysely.selectFrom("totp_factors").select(["user_id", "pending_secret", "enabled_at"]).execute();
    expect((await left()).map(({ user_id }) => user_id).sort()).toEqual([undone.user.id, other.user.id].sort());
    const job = app.app.jobs.find(({ name }) => name === "second-factor-retention");
    await job?.run();
    expect(await left()).toHaveLength(2);
    app.clock.advance(25 * 60 * MINUTE);
    await job?.run();
    expect(await left()).toEqual([
      { user_id: other.user.id, pending_secret: null, enabled_at: expect.any(Number) as never },
    ]);
  });

  t.test(
    "a secret is sealed for its user: a row that is copied to another user opens nothing (ASVS 11.3.2)",
    async (app) => {
      const { user } = await enrolled(app);
      const victim = await enrolled(app);
      const sealedOf = (id: string) =>
        findTotp(app.storage.read, id).then((row) => row?.sealed_secret ?? new Uint8Array());
      const factor = new TotpFactor(app.identity);
      expect(factor.open(user.id, await sealedOf(user.id))).toHaveLength(20);
      const copied = await sealedOf(user.id);
      expect(() => factor.open(victim.user.id, copied)).toThrow("does not open");
    },
  );

  t.test("of two set-ups that were checked, only the current one is enabled, and once", async (app) => {
    const user = await app.user();
    const now = app.clock.now();
    const [older, newer] = [new Uint8Array(40).fill(1), new Uint8Array(40).fill(2)];
    const begin = (secret: Uint8Array) =>
      app.storage.write((tx) => putPending(tx, { userId: user.id, tenantId: app.tenantId, secret, owner: "x", now }));
    const finish = (secret: Uint8Array) =>
      app.storage.write((tx) => enablePending(tx, { userId: user.id, secret, step: 1, now }));
    await begin(older);
    await begin(newer);
    expect([await finish(older), await finish(newer), await finish(newer)]).toEqual([false, true, false]);
  });
});
