import { expect } from "bun:test";
import type { TestApp, TestUser } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, own, proveAddress, verify } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp } from "../../support/totp.ts";

async function use(app: TestApp, user: TestUser, code: string) {
  const client = own(app);
  const { mfa_token } = (await firstFactor(app, user, client)).body;
  return client.post("/v1/auth/mfa/verify", { mfa_token, method: "recovery_code", code });
}

const ROOMY = { settings: { limit_account: "1000/1m" } };

scenarios("recovery codes", (t) => {
  t.test(
    "are ten codes of 125 bits, kept only as an HMAC and bound to their user (ASVS 6.5.2, 6.5.3, 6.5.4)",
    async (app) => {
      const { user, codes } = await enrolled(app);
      expect(codes).toHaveLength(10);
      expect(new Set(codes).size).toBe(10);
      for (const code of codes) expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}$/);
      const rows = await app.storage.read.kysely.selectFrom("recovery_codes").selectAll().execute();
      expect(rows.map(({ digest }) => digest.length)).toEqual(Array(10).fill(43));
      // A row that is copied to another user is not a code of that user.
      const other = await enrolled(app);
      await app.storage.write(async (tx) => {
        await tx.kysely.deleteFrom("recovery_codes").where("user_id", "=", other.user.id).execute();
        await tx.kysely
          .insertInto("recovery_codes")
          .values(rows.map((row) => ({ ...row, user_id: other.user.id })))
          .execute();
      });
      expect((await use(app, other.user, codes[0] ?? "")).code).toBe("invalid_code");
      expect((await use(app, user, codes[0] ?? "")).status).toBe(200);
    },
  );

  t.test("work once each; the notice of a use says how many are left (ASVS 6.5.1, 6.3.7, 6.4.4)", async (app) => {
    const { user, codes } = await enrolled(app);
    await proveAddress(app, user);
    const [first = "", second = ""] = codes;
    const answer = await use(app, user, first);
    expect(answer.status).toBe(200);
    expect(claimsOf(answer.body.access_token)).toMatchObject({ aal: "aal2", amr: ["pwd", "otp", "mfa"] });
    const mail = (await app.mails(user.email)).find(({ template }) => template === "recovery_code_used");
    expect(mail?.text).toContain("Codes left: 9.");
    expect(mail?.text).not.toContain(first);
    expect((await use(app, user, first)).code).toBe("invalid_code");
    expect((await use(app, user, second)).status).toBe(200);
    expect(await app.audit()).toContain("recovery_code.used");
  });

  t.test(
    "one code in twenty flows at once signs in once (ASVS 6.5.1)",
    async (app) => {
      const { user, codes } = await enrolled(app);
      const client = own(app);
      const tokens: string[] = [];
      for (let i = 0; i < 20; i++) tokens.push((await firstFactor(app, user, client)).body.mfa_token);
      const answers = await Promise.all(
        tokens.map((mfa_token) =>
          client.post("/v1/auth/mfa/verify", { mfa_token, method: "recovery_code", code: codes[3] }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(401)]);
    },
    ROOMY,
  );

  t.test(
    "accept other case, spaces, hyphens and look-alikes, and nothing else",
    async (app) => {
      const { user, codes } = await enrolled(app);
      const typed = [
        (code: string) => code.toLowerCase(),
        (code: string) => code.replaceAll("-", ""),
        (code: string) => ` ${code.replaceAll("-", "  ")} `,
        (code: string) => code.replaceAll("0", "o").replaceAll("1", "l"),
        (code: string) => code.replaceAll("0", "O").replaceAll("1", "I"),
      ];
      for (const [index, change] of typed.entries()) {
        expect([index, (await use(app, user, change(codes[index] ?? ""))).status]).toEqual([index, 200]);
      }
      const left = codes[9] ?? "";
      for (const wrong of [left.slice(0, -1), `${left}0`, left.split("-").reverse().join("-").slice(1), "💥"]) {
        expect([wrong, (await use(app, user, wrong)).code]).toEqual([wrong, "invalid_code"]);
      }
      expect((await use(app, user, left)).status).toBe(200);
    },
    ROOMY,
  );

  t.test("a code of one kind does not work as the other kind", async (app) => {
    const { user, secret, codes } = await enrolled(app);
    const client = own(app);
    const { mfa_token } = (await firstFactor(app, user, client)).body;
    expect((await use(app, user, totp(secret, app.clock.now()))).code).toBe("invalid_code");
    expect((await verify(client, mfa_token, (codes[0] ?? "").slice(0, 32))).code).toBe("invalid_code");
    expect((await verify(client, mfa_token, totp(secret, app.clock.now()))).status).toBe(200);
  });

  t.test("new codes replace all earlier ones, and the owner gets a notice", async (app) => {
    const { user, codes, tokens } = await enrolled(app);
    await app.mails(user.email);
    const made = await app.client().bearer(tokens.access_token).post("/v1/auth/mfa/recovery-codes");
    expect([made.status, made.body.recovery_codes.length]).toEqual([200, 10]);
    const [mail] = await app.mails(user.email);
    expect(mail?.text).toMatch(/recovery.codes/i);
    for (const code of codes.slice(0, 3)) expect((await use(app, user, code)).code).toBe("invalid_code");
    expect((await use(app, user, made.body.recovery_codes[0] ?? "")).status).toBe(200);
  });

  t.test(
    "of twenty renewals at once, one set works",
    async (app) => {
      const { tokens, user } = await enrolled(app);
      const client = app.client().bearer(tokens.access_token);
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.post("/v1/auth/mfa/recovery-codes")));
      const sets = answers.map(({ body }) => body.recovery_codes);
      const rows = await app.storage.read.kysely.selectFrom("recovery_codes").selectAll().execute();
      expect(rows).toHaveLength(10);
      const good: number[] = [];
      for (const [index, [code = ""]] of sets.entries()) {
        if ((await use(app, user, code)).status === 200) good.push(index);
      }
      expect(good).toHaveLength(1);
    },
    { settings: { limit_account: "1000/1m", limit_account_total: "1000/1m" } },
  );

  t.test(
    "are not a method after the last is used, and cannot be made without another factor",
    async (app) => {
      const { user, codes } = await enrolled(app);
      for (const code of codes) expect((await use(app, user, code)).status).toBe(200);
      expect((await firstFactor(app, user)).body.methods).toEqual(["totp"]);
      const { tokens } = await app.signedIn();
      const refused = await app.client().bearer(tokens.accessToken).post("/v1/auth/mfa/recovery-codes");
      expect([refused.status, refused.code]).toEqual([409, "conflict"]);
    },
    ROOMY,
  );
});
