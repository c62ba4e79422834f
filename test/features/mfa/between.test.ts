import { expect } from "bun:test";
import { FactorChanges } from "../../../src/features/mfa/changes.ts";
import { RecoveryCodes } from "../../../src/features/mfa/recovery-codes.ts";
import { findSession } from "../../../src/identity/sessions/store.ts";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { type Enrolled, enrolled, firstFactor, own, ownPage, verify } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp } from "../../support/totp.ts";

/** Proves the first factor, lets `happens` run, and then sends the right second factor. */
async function between(app: TestApp, happens: (person: Enrolled) => Promise<unknown>) {
  const person = await enrolled(app);
  const { mfa_token } = (await firstFactor(app, person.user)).body;
  await happens(person);
  const sessions = () => app.storage.read.kysely.selectFrom("sessions").select("id").execute();
  const before = (await sessions()).length;
  const answer = await verify(own(app), mfa_token, totp(person.secret, app.clock.now()));
  expect((await sessions()).length).toBe(before);
  return [answer.status, answer.code];
}

scenarios("between the first factor and the second", (t) => {
  t.test("the password is changed: its proof counts no more (ASVS 7.4.3)", async (app) => {
    const change = ({ user, tokens }: Enrolled) =>
      app.client().bearer(tokens.access_token).post("/v1/auth/password/change", {
        current_password: user.login.password,
        new_password: "granite-lantern-moth-88",
      });
    expect(await between(app, change)).toEqual([401, "invalid_code"]);
  });

  t.test("the factor is replaced or removed", async (app) => {
    const replace = async ({ tokens }: Enrolled) => {
      const client = app.client().bearer(tokens.access_token);
      const { secret } = (await client.post("/v1/auth/mfa/setup")).body;
      await client.post("/v1/auth/mfa/enable", { code: totp(secret ?? "", app.clock.now()) });
    };
    expect(await between(app, replace)).toEqual([401, "invalid_code"]);
    const remove = ({ tokens }: Enrolled) => app.client().bearer(tokens.access_token).post("/v1/auth/mfa/disable");
    expect(await between(app, remove)).toEqual([401, "invalid_code"]);
  });

  t.test("the user is disabled or deleted (ASVS 7.4.2)", async (app) => {
    expect(await between(app, ({ user }) => app.disable("users", user.id))).toEqual([401, "invalid_credentials"]);
    const remove = ({ user }: Enrolled) => app.client().bearer(app.secretKey).delete(`/v1/users/${user.id}`);
    expect(await between(app, remove)).toEqual([401, "invalid_code"]);
  });

  t.test(
    "a disabled user's refused attempt spends nothing: code and flow work once the user is enabled again",
    async (app) => {
      const { user, secret } = await enrolled(app);
      const { mfa_token } = (await firstFactor(app, user)).body;
      const code = totp(secret, app.clock.now());
      await app.disable("users", user.id);
      expect((await verify(own(app), mfa_token, code)).code).toBe("invalid_credentials");
      await app.storage.write((tx) => tx.kysely.updateTable("users").set({ disabled_at: null }).execute());
      expect((await verify(own(app), mfa_token, code)).status).toBe(200);
    },
  );

  t.test("another user's code does not work here, and the try does not spend it", async (app) => {
    const person = await enrolled(app);
    const other = await enrolled(app);
    const { mfa_token } = (await firstFactor(app, person.user)).body;
    const theirs = totp(other.secret, app.clock.now());
    expect((await verify(own(app), mfa_token, theirs)).code).toBe("invalid_code");
    const recovery = { mfa_token, method: "recovery_code", code: other.codes[0] };
    expect((await own(app).post("/v1/auth/mfa/verify", recovery)).code).toBe("invalid_code");
    const own2 = (await firstFactor(app, other.user)).body.mfa_token;
    expect((await verify(own(app), own2, theirs)).status).toBe(200);
  });

  t.test("the browser's earlier session ends with the new one, and no id survives (ASVS 7.2.4)", async (app) => {
    const person = await enrolled(app);
    const page = ownPage(app);
    const sids: unknown[] = [];
    const ended: string[] = [];
    for (let i = 0; i < 2; i++) {
      const { mfa_token } = (await firstFactor(app, person.user, page)).body;
      const { body } = await verify(page, mfa_token, totp(person.secret, app.clock.now()));
      sids.push(claimsOf(body.access_token).sid);
      ended.push(body.access_token);
      app.clock.advance(30_000);
    }
    const stepped = await page.post("/v1/auth/mfa/verify", {
      method: "totp",
      code: totp(person.secret, app.clock.now()),
    });
    sids.push(claimsOf(stepped.body.access_token).sid);
    expect(new Set(sids).size).toBe(3);
    for (const token of ended) {
      expect((await app.client().bearer(token).get("/v1/auth/session")).code).toBe("token_revoked");
    }
    expect((await page.get("/v1/auth/session")).body.session.id).toBe(String(sids[2]));
    expect((await page.post("/v1/auth/refresh")).status).toBe(200);
  });

  t.test("another user's session that was planted in the browser gives nothing", async (app) => {
    const person = await enrolled(app);
    const attacker = await app.signedIn();
    const client = own(app).bearer(attacker.tokens.accessToken);
    const { mfa_token } = (await firstFactor(app, person.user)).body;
    const answer = await verify(client, mfa_token, totp(person.secret, app.clock.now()));
    expect(claimsOf(answer.body.access_token)).toMatchObject({ sub: person.user.id });
    expect(claimsOf(answer.body.access_token).sid).not.toBe(attacker.tokens.session.sid);
  });

  t.test(
    "a sign-in or step-up at the time of a change of factor leaves no earlier session (ASVS 7.4.3)",
    async (app) => {
      for (let round = 0; round < 3; round++) {
        const person = await enrolled(app);
        const weak = await app.signIn(person.user, await app.application({ mfa: "off" }));
        const { mfa_token } = (await firstFactor(app, person.user)).body;
        const owner = app.client().bearer(person.tokens.access_token);
        const step = { method: "recovery_code", code: person.codes[1] };
        const [finished, stepped, removed] = await Promise.all([
          own(app).post("/v1/auth/mfa/verify", { mfa_token, method: "recovery_code", code: person.codes[0] }),
          app.client().bearer(weak.accessToken).post("/v1/auth/mfa/verify", step),
          owner.post("/v1/auth/mfa/disable"),
        ]);
        expect(removed.status).toBe(200);
        for (const { status, body } of [finished, stepped]) {
          if (status !== 200) continue;
          const who = await app.client().bearer(body.access_token).get("/v1/auth/session");
          expect([round, who.code]).toEqual([round, "token_revoked"]);
        }
      }
    },
  );

  t.test("a change comes too late if its session has ended meanwhile (ASVS 7.4.1)", async (app) => {
    const person = await enrolled(app);
    const sid = String(claimsOf(person.tokens.access_token).sid);
    const session = await findSession(app.storage.read, sid);
    if (!session) throw new Error("no session");
    await app.client().bearer(person.tokens.access_token).post("/v1/auth/logout");
    // The gate has admitted the request before the session ended.
    const changes = new FactorChanges(app.identity, new RecoveryCodes(app.identity));
    const before = await app.state();
    const caller = { act: await app.act(), session };
    await expect(changes.removeTotp(caller)).rejects.toMatchObject({ code: "token_revoked" });
    await expect(changes.renewCodes(caller)).rejects.toMatchObject({ code: "token_revoked" });
    expect(await app.state()).toBe(before);
  });
});
