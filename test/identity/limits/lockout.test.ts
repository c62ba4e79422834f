import { expect } from "bun:test";
import { DAY } from "../../../src/core/clock.ts";
import type { TestApp, TestUser } from "../../support/app.ts";
import { proveAddress } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { type Enrolled, enrolled, own, ownPage, verify } from "../../support/second-factors.ts";
import { totp, wrongTotp } from "../../support/totp.ts";

const PROXIED = { trusted_proxies: ["127.0.0.1/32"] };
const WRONG = "not-the-right-password";
const NEW = "granite-lantern-moth-88";

/** An address of the attackers' n-th network. The owner is elsewhere, in 203.0.113.0/24. */
const attacker = (n: number) => ({ "x-forwarded-for": `198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}` });
const owner = (n: number) => ({ "x-forwarded-for": `203.0.113.${n}` });

const login = async (app: TestApp, user: TestUser, password: string, headers: Record<string, string>) =>
  (await own(app, headers).post("/v1/auth/login", { email: user.email, password })).status;

/** Guesses from so many networks, in turn, so many times. @returns the number of guesses that were checked */
async function guess(app: TestApp, user: TestUser, networks: number, rounds: number): Promise<number> {
  let checked = 0;
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < networks; n += 10) {
      const some = Array.from({ length: Math.min(10, networks - n) }, (_, i) =>
        login(app, user, WRONG, attacker(n + i)),
      );
      checked += (await Promise.all(some)).filter((status) => status === 401).length;
    }
  }
  return checked;
}

scenarios("an owner under attack is not locked out", (t) => {
  t.test(
    "attackers from ten networks: the owner signs in on a known device, and on a new one elsewhere",
    async (app) => {
      const user = await app.user();
      const page = ownPage(app).with(owner(1));
      expect((await page.post("/v1/auth/login", user.login)).status).toBe(200);
      // Ten at once from each network, 30 in total, and then the spare ones.
      expect(await guess(app, user, 10, 8)).toBe(30 + 20);
      expect(await login(app, user, user.login.password, owner(2))).toBe(200);
      // The known device does not even need a quiet network.
      expect((await page.with(attacker(1)).post("/v1/auth/login", user.login)).status).toBe(200);
      // An attacker cannot use the device's budget without its cookie, nor have it with another account's.
      const other = await app.user();
      const theirs = ownPage(app).with(attacker(1));
      await theirs.post("/v1/auth/login", other.login);
      expect((await theirs.post("/v1/auth/login", { ...user.login, password: WRONG })).status).toBe(429);
    },
    { settings: { ...PROXIED, limit_account_total: "30/1d", limit_spare: "2/1d" } },
  );

  t.test(
    "a thousand networks get the stated number of guesses and no more, at once and a day later",
    async (app) => {
      const user = await app.user();
      const page = ownPage(app).with(owner(1));
      await page.post("/v1/auth/login", user.login);
      expect(await guess(app, user, 1_000, 1)).toBe(40 + 60);
      expect(await guess(app, user, 20, 3)).toBe(0);
      app.clock.advance(DAY);
      expect(await guess(app, user, 300, 1)).toBe(40 + 60);
      // The known device signs in, and its own wrong passwords meet its own limit.
      expect((await page.post("/v1/auth/login", user.login)).status).toBe(200);
      const tries = Array.from({ length: 12 }, () => page.post("/v1/auth/login", { ...user.login, password: WRONG }));
      expect((await Promise.all(tries)).filter(({ status }) => status === 401)).toHaveLength(10);
    },
    { settings: { ...PROXIED, limit_account_total: "40/1d", limit_spare_total: "60/1d", limit_network: "100000/1m" } },
  );

  t.test(
    "an owner without a known device gets in by a reset, and the attack that goes on does not stop the sign-in",
    async (app) => {
      const user = await app.user();
      await proveAddress(app, user.id);
      await guess(app, user, 120, 1);
      const page = ownPage(app).with(owner(1));
      expect((await page.post("/v1/auth/login", user.login)).status).toBe(429);
      expect((await app.mail(user.email)).template).toBe("guessed");
      await page.post("/v1/auth/password/forgot", { email: user.email });
      const token = (await app.mail(user.email)).link;
      expect((await page.post("/v1/auth/password/reset", { token, new_password: NEW })).status).toBe(200);
      // The reset gives back what was taken, so the attackers have their small number again.
      expect(await guess(app, user, 120, 1)).toBe(20 + 30);
      expect(await login(app, user, NEW, owner(2))).toBe(429);
      expect((await page.post("/v1/auth/login", { email: user.email, password: NEW })).status).toBe(200);
    },
    { settings: { ...PROXIED, limit_account_total: "20/1d", limit_spare_total: "30/1d" } },
  );

  t.test(
    "one /48 of IPv6 is one network for the spare guesses",
    async (app) => {
      const user = await app.user();
      const from = (site: number, n: number) => ({ "x-forwarded-for": `2001:db8:${site}:${n}::1` });
      const statuses: number[] = [];
      for (let n = 0; n < 8; n++) statuses.push(await login(app, user, WRONG, from(1, n)));
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
      expect(await login(app, user, user.login.password, from(2, 0))).toBe(200);
    },
    { settings: { ...PROXIED, limit_account_total: "3/1d", limit_spare: "2/1d" } },
  );

  t.test(
    "wrong codes of an app block neither recovery codes nor the known device",
    async (app) => {
      const person = await enrolled(app);
      const page = ownPage(app).with(owner(1));
      const prove = async (client: ReturnType<typeof own>, body: (person: Enrolled) => object) => {
        const { mfa_token } = (await client.post("/v1/auth/login", person.user.login)).body;
        return client.post("/v1/auth/mfa/verify", { mfa_token, ...body(person) });
      };
      const right = ({ secret }: Enrolled) => ({ method: "totp", code: totp(secret, app.clock.now()) });
      expect((await prove(page, right)).status).toBe(200);
      // The attacker knows the password, and has many networks.
      for (let n = 0; n < 10; n++) {
        const client = own(app, attacker(n));
        const { mfa_token } = (await client.post("/v1/auth/login", person.user.login)).body;
        const answer = await verify(client, mfa_token, wrongTotp(person.secret, app.clock.now(), n));
        expect([n, answer.status]).toEqual([n, n < 8 ? 401 : 429]);
      }
      app.clock.advance(30_000);
      const elsewhere = own(app, owner(2));
      expect((await prove(elsewhere, right)).status).toBe(429);
      expect((await prove(page, right)).status).toBe(200);
      const code = person.codes[0];
      expect((await prove(elsewhere, () => ({ method: "recovery_code", code }))).status).toBe(200);
      // Recovery codes cannot be guessed, so wrong ones take nothing from the account either.
      for (let n = 0; n < 12; n++) {
        const wrong = await prove(own(app, attacker(n)), () => ({ method: "recovery_code", code: "AAAAA-AAAAA" }));
        expect(wrong.status).toBe(401);
      }
      const next = person.codes[1];
      expect((await prove(elsewhere, () => ({ method: "recovery_code", code: next }))).status).toBe(200);
    },
    { settings: { ...PROXIED, limit_second_factor: "8/1d" } },
  );
});

scenarios("right sign-ins use up no limit", (t) => {
  t.test(
    "many people behind one address, and one person many times",
    async (app) => {
      const people = [];
      for (let i = 0; i < 12; i++) people.push(await app.user());
      for (const person of people) {
        expect((await own(app).post("/v1/auth/login", person.login)).status).toBe(200);
      }
      const [person] = people;
      for (let i = 0; i < 12; i++) expect((await own(app).post("/v1/auth/login", person?.login)).status).toBe(200);
      // Wrong ones still count, for the account and for the network.
      const wrong = await Promise.all(
        people.map(({ login: { email } }) => own(app).post("/v1/auth/login", { email, password: WRONG })),
      );
      expect(wrong.filter(({ status }) => status === 401)).toHaveLength(5);
    },
    { settings: { limit_network: "5/10m", limit_account_total: "4/1d", limit_account: "4/10m", limit_spare: "1/1d" } },
  );

  t.test(
    "one account has one budget, over all its addresses",
    async (app) => {
      const user = await app.user();
      const second = "second@example.com";
      await app.storage.write((tx) =>
        tx.kysely
          .insertInto("user_emails")
          .values({
            id: crypto.randomUUID(),
            tenant_id: app.tenantId,
            user_id: user.id,
            address: second,
            canonical: second,
            is_primary: 0,
            verified_at: 1,
            created_at: 1,
          })
          .execute(),
      );
      const statuses: number[] = [];
      for (const email of [user.email, second, user.email, second, second]) {
        statuses.push((await own(app).post("/v1/auth/login", { email, password: WRONG })).status);
      }
      expect(statuses).toEqual([401, 401, 401, 429, 429]);
    },
    { settings: { limit_account: "3/10m" } },
  );
});
