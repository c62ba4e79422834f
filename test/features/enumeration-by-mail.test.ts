import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import {
  callerOf,
  deletePassword,
  giveEmail,
  NEW_PASSWORD,
  session,
  setApplication,
  verifyPrimary,
} from "../support/mail-proofs.ts";
import { scenarios } from "../support/scenarios.ts";
import { workOf } from "../support/work.ts";

const PLENTY = { limit_mail_network: "1000/1h" };

/** Every state of an address, and an address without an account. All have one length, so that whole answers can be compared. */
async function addresses(app: TestApp): Promise<Record<string, string>> {
  const email = (name: string) => `${name.padEnd(12, "x")}@example.com`;
  await app.unproven(email("unverified"));
  const verified = await app.user(email("verified"));
  await verifyPrimary(app, verified);
  await giveEmail(app, verified, email("secondary"));
  const disabled = await app.user(email("disabled"));
  await app.disable("users", disabled.id);
  const bare = await app.user(email("no-password"));
  await deletePassword(app, bare);
  const deleted = await app.user(email("deleted"));
  await app.client().bearer(app.secretKey).delete(`/v1/users/${deleted.id}`);
  // A mail reports the deletion to the owner.
  await app.mails();
  const acme = await app.tenant("acme");
  await app.user(email("other-tenant"), acme.id);
  const names = ["unverified", "verified", "secondary", "disabled", "no-password", "deleted", "other-tenant", "nobody"];
  return Object.fromEntries(names.map((name) => [name, email(name)]));
}

/** Makes one call for each address and expects all calls to show and cost the same. */
async function allTheSame(app: TestApp, ask: (email: string) => ReturnType<Client["post"]>) {
  const all = await addresses(app);
  await ask("first@example.com");
  const expected = await workOf(app, () => ask("second@example.com".padStart(24, "x")));
  for (const [name, email] of Object.entries(all)) {
    expect([name, await workOf(app, () => ask(email))]).toEqual([name, expected]);
  }
  // Another spelling is the same address and gets the same answer.
  expect(await workOf(app, () => ask((all.verified ?? "").toUpperCase()))).toEqual(expected);
  return { all, expected };
}

scenarios("mails do not tell who has an account", (t) => {
  t.test(
    "sign-up with proven addresses gives one answer, no hash and one mail for every address (ASVS 6.3.8)",
    async (app) => {
      await setApplication(app, app.applicationId, { sign_up: "verified" });
      const client = callerOf(app);
      const ask = (email: string) => client.post("/v1/auth/register", { email, password: NEW_PASSWORD });
      const users = () => app.storage.read.kysely.selectFrom("users").select("id").execute();
      const { all, expected } = await allTheSame(app, ask);
      expect(expected).toMatchObject({ status: 202, hashes: 0, mails: 1, cookies: 0 });
      const before = await users();
      const mails = await app.mails();
      const told = Object.entries(all).map(([name, email]) => [
        name,
        mails.find((mail) => mail.to === email)?.template,
      ]);
      expect(Object.fromEntries(told)).toEqual({
        unverified: "sign_up_known",
        verified: "sign_up_known",
        secondary: "sign_up_known",
        disabled: "sign_up_known",
        "no-password": "sign_up_known",
        deleted: "sign_up",
        "other-tenant": "sign_up",
        nobody: "sign_up",
      });
      // A caller who learns that an account exists gets no link or code for it.
      for (const mail of mails.filter(({ template }) => template === "sign_up_known")) {
        expect([mail.link, mail.code]).toEqual([null, null]);
      }
      expect(await users()).toEqual(before);
    },
    { settings: PLENTY },
  );

  t.test(
    "a forgotten password gives one answer, no hash and one outbox row for every address (ASVS 6.3.8)",
    async (app) => {
      const client = callerOf(app);
      const ask = (email: string) => client.post("/v1/auth/password/forgot", { email });
      const { all, expected } = await allTheSame(app, ask);
      expect(expected).toMatchObject({ status: 202, hashes: 0, mails: 1, cookies: 0 });
      const reached = new Set((await app.mails()).map((mail) => mail.to));
      expect([...reached].sort()).toEqual(
        [all.unverified, all.verified, all.secondary, all["no-password"]].map(String).sort(),
      );
    },
    { settings: PLENTY },
  );

  t.test(
    "adding another account's address gives one answer and one mail, and tells its owner (ASVS 6.3.8)",
    async (app) => {
      const asker = await app.user("asker@example.com");
      await verifyPrimary(app, asker);
      const client = await session(app, asker);
      const ask = (email: string) => client.post("/v1/me/emails", { email });
      const { all, expected } = await allTheSame(app, ask);
      expect(expected).toMatchObject({ status: 202, hashes: 0, mails: 1 });
      const mails = await app.mails();
      const to = (name: string) => mails.find((mail) => mail.to === all[name]);
      expect(to("verified")?.text).toContain("nothing was changed");
      expect(to("verified")?.link ?? to("verified")?.code ?? null).toBeNull();
      expect(to("nobody")?.link).toBeString();
      const { body } = await client.get("/v1/me/emails");
      expect(body.data).toMatchObject([{ email: "asker@example.com" }]);
    },
    { settings: { ...PLENTY, limit_mail_account: "50/1h" } },
  );

  t.test(
    "a wrong code gives one answer, one amount of work and one limit, with or without an account (ASVS 6.3.8)",
    async (app) => {
      await app.user("known@example.com");
      const client = callerOf(app);
      const flowOf = async (email: string) => (await client.post("/v1/auth/password/forgot", { email })).body.flow_id;
      const guess = (flow_id: string) =>
        client.post("/v1/auth/password/reset", { flow_id, code: "0000-000", new_password: NEW_PASSWORD });
      await guess(await flowOf("first@example.com"));
      const seen: Record<string, unknown[]> = { "known@example.com": [], "no-one@example.com": [] };
      for (const [email, list] of Object.entries(seen)) {
        // The first refusal of a minute writes to the audit log, with one statement more.
        app.clock.advance(120_000);
        const flow = await flowOf(email);
        for (let i = 0; i < 8; i++) list.push(await workOf(app, () => guess(flow)));
      }
      expect(seen["known@example.com"]).toEqual(seen["no-one@example.com"] ?? []);
      expect(seen["known@example.com"]?.map((shown) => (shown as { status: number }).status)).toEqual([
        401, 401, 401, 401, 401, 401, 429, 429,
      ]);
    },
    { settings: { limit_account: "6/10h" } },
  );

  t.test(
    "mails count alike for addresses with and without an account (ASVS 6.3.1)",
    async (app) => {
      await setApplication(app, app.applicationId, { sign_up: "verified" });
      const known = await app.user("known@example.com");
      const client = callerOf(app);
      for (const path of ["/v1/auth/password/forgot", "/v1/auth/register"]) {
        app.clock.advance(24 * 3_600_000);
        for (const email of [known.email, "no-one@example.com"]) {
          const statuses: number[] = [];
          const body = { email, ...(path.endsWith("register") ? { password: NEW_PASSWORD } : {}) };
          for (let i = 0; i < 4; i++) statuses.push((await client.post(path, body)).status);
          // A sign-up depends on its request, so it cannot share a mail. Its network has one spare.
          const expected = path.endsWith("register") ? [202, 202, 202, 429] : [202, 202, 202, 202];
          expect([path, email, statuses]).toEqual([path, email, expected]);
        }
      }
    },
    { settings: { limit_mail_account: "2/1h" } },
  );
});
