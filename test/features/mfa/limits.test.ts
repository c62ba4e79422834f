import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { type Enrolled, enrolled, firstFactor, own, verify } from "../../support/second-factors.ts";
import { totp, wrongTotp } from "../../support/totp.ts";

const DAY = 86_400_000;
const PROXIED = { trusted_proxies: ["127.0.0.1/32"] };
/** Limits high enough that only the limit under test can refuse. */
const ROOMY = { limit_account: "1000/1m", limit_account_total: "1000/1m", limit_network: "1000/1m" };

/** Makes one guess, with a new flow and from its own network. */
async function guess(app: TestApp, { user, secret }: Enrolled, network: number, code?: string) {
  const client = own(app, { "x-forwarded-for": `198.51.${network >> 8}.${network & 255}` });
  const first = await firstFactor(app, user, client);
  return verify(client, first.body.mfa_token, code ?? wrongTotp(secret, app.clock.now(), network));
}

scenarios("guessing a second factor (ASVS 6.3.1, 6.6.3)", (t) => {
  t.test(
    "many flows of one account from many networks meet a limit; a right code in between resets the count",
    async (app) => {
      const person = await enrolled(app);
      let network = 0;
      for (let i = 0; i < 7; i++) expect((await guess(app, person, network++)).status).toBe(401);
      expect((await guess(app, person, network++, totp(person.secret, app.clock.now()))).status).toBe(200);
      for (let i = 0; i < 8; i++) expect([i, (await guess(app, person, network++)).status]).toEqual([i, 401]);
      app.clock.advance(30_000);
      const right = totp(person.secret, app.clock.now());
      const refused = await guess(app, person, network++, right);
      expect([refused.status, refused.code]).toEqual([429, "rate_limited"]);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(10_000);
      // Another account is not affected, and the owner is not locked out for ever.
      const other = await enrolled(app);
      expect((await guess(app, other, network++, totp(other.secret, app.clock.now()))).status).toBe(200);
      app.clock.advance(DAY);
      expect((await guess(app, person, network++, totp(person.secret, app.clock.now()))).status).toBe(200);
    },
    { settings: { ...ROOMY, ...PROXIED, limit_second_factor: "8/1d" } },
  );

  t.test(
    "limits one account from one network, and one network over many accounts, as for passwords",
    async (app) => {
      const person = await enrolled(app);
      const statuses: number[] = [];
      for (let i = 0; i < 5; i++) statuses.push((await guess(app, person, 1)).status);
      expect(statuses).toEqual([401, 401, 401, 429, 429]);
      // The counter is separate from the password's.
      expect((await firstFactor(app, person.user)).status).toBe(200);
      expect((await guess(app, person, 2, totp(person.secret, app.clock.now()))).status).toBe(200);
    },
    { settings: { ...ROOMY, ...PROXIED, limit_account: "3/10m" } },
  );

  t.test(
    "set-ups and step-ups of a session count together, and beside them neither strangers nor recovery codes",
    async (app) => {
      const person = await enrolled(app);
      const client = app.client().bearer(person.tokens.access_token);
      const code = wrongTotp(person.secret, app.clock.now());
      const stepUp = async () => (await client.post("/v1/auth/mfa/verify", { method: "totp", code })).code;
      const setUp = async () => (await client.post("/v1/auth/mfa/enable", { code })).code;
      const codes = [await stepUp(), await setUp(), await stepUp(), await setUp(), await stepUp(), await setUp()];
      expect(codes).toEqual([...Array.from({ length: 4 }, () => "invalid_code"), "rate_limited", "rate_limited"]);
      const recovery = { method: "recovery_code", code: "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA" };
      expect((await client.post("/v1/auth/mfa/verify", recovery)).code).toBe("invalid_code");
      expect((await guess(app, person, 1)).code).toBe("invalid_code");
    },
    { settings: { ...ROOMY, ...PROXIED, limit_second_factor: "4/1d" } },
  );
});
