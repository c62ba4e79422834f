import { expect } from "bun:test";
import { sha256Base64url } from "../../../src/crypto/secrets.ts";
import { features } from "../../../src/features/index.ts";
import type { SecondFactor } from "../../../src/identity/factors/second-factors.ts";
import { rememberFormerEmail } from "../../../src/identity/users/emails/store.ts";
import type { TestApp } from "../../support/app.ts";
import { backend } from "../../support/management.ts";
import { allowAnonymous, anonymousUser, proveAddress, trustDevice } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { raise } from "../../support/second-factors.ts";
import { dump } from "../../support/tables.ts";
import { APP_ORIGIN } from "../../support/template.ts";
import { addFactors, tablesOfUsers } from "./support.ts";

/** Tables that may still mention a deleted user: the record of acts, and names that stay taken. */
const REMAINS: ReadonlySet<string> = new Set(["users", "audit_entries", "revocations", "public_users"]);
/** The feature that removes the rows of each table, if the feature is there. */
const KEPT_BY: Readonly<Record<string, string>> = { totp_factors: "mfa", recovery_codes: "mfa", passkeys: "passkeys" };
const isErased = (table: string) => !(table in KEPT_BY) || (KEPT_BY[table] ?? "") in features;

/** Gives the user a second factor. Its answer does not matter here. */
function enrol(app: TestApp, userId: string): void {
  const factor: SecondFactor = {
    method: "totp",
    check: () => Promise.reject(new Error("not asked")),
    isEnrolled: async (_, id) => id === userId,
  };
  app.identity.secondFactors.offer([factor]);
}

async function mentions(app: TestApp, userId: string): Promise<string[]> {
  const found: string[] = [];
  for (const [table, rows] of Object.entries(await dump(app.storage))) {
    if (rows.some((row) => JSON.stringify(row).includes(userId))) found.push(table);
  }
  return found.sort();
}

scenarios("DELETE /v1/me", (t) => {
  t.test(
    "leaves nothing of the person except the tombstone, the audit log and the verifiers' revocations",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      await proveAddress(app, user.id);
      await app.signIn(user, app.defaultApplicationId);
      await app
        .client()
        .bearer((await app.signIn(user)).accessToken)
        .post("/v1/auth/logout");
      await backend(app).patch(`/v1/users/${user.id}`, {
        external_id: "42",
        display_name: "Ada",
        metadata: { a: "mark" },
      });
      await addFactors(app, user.id);
      await trustDevice(app, user.id);
      const former = {
        user_id: user.id,
        canonical: "old@example.com",
        tenant_id: app.tenantId,
        address: "old@example.com",
      };
      const times = { verified_at: 0, removed_at: app.clock.now() };
      await app.storage.write((tx) => rememberFormerEmail(tx, { ...former, ...times }));
      const stranger = await app.user("bob@example.com");
      const started = await app.storage.write(async (tx) => {
        const { tenant } = (await app.identity.directory.application(app.applicationId)) ?? {};
        if (!tenant) throw new Error("no tenant");
        const values = { email: "x@example.com" };
        const order = { tenant, to: user.email, template: "email_added", values, languages: null } as const;
        await app.identity.outbox.queue(tx, { ...order, userId: user.id, expiresAt: app.clock.now() + 1_000_000 });
        return app.identity.emailProofs.start(tx, {
          kind: "reset_password",
          tenantId: app.tenantId,
          applicationId: app.applicationId,
          userId: user.id,
          state: {},
          lifetime: 600_000,
        });
      });
      app.secrets.add(started.token);
      // Every table must have rows, or this test would prove nothing about it.
      const about = (await tablesOfUsers(app)).filter((table) => table !== "public_users");
      expect((await mentions(app, user.id)).filter((table) => about.includes(table))).toEqual(about);
      // There is a second factor now, and the session has proven it.
      await raise(app, tokens.session.sid);
      const answer = await app.client().bearer(tokens.accessToken).delete("/v1/me");
      expect([answer.status, answer.body.status]).toEqual([200, "success"]);

      const left = (await mentions(app, user.id)).filter((table) => !REMAINS.has(table) && isErased(table));
      expect(left).toEqual([]);
      const { kysely } = app.storage.read;
      const tombstone = await kysely.selectFrom("users").selectAll().where("id", "=", user.id).executeTakeFirst();
      expect(tombstone).toMatchObject({
        external_id: "42",
        display_name: null,
        search_name: null,
        public_metadata: "{}",
      });
      expect(tombstone?.deleted_at).toBe(app.clock.now());
      const revoked = await kysely.selectFrom("revocations").select(["kind", "digest"]).execute();
      expect(revoked.map(({ kind }) => kind).sort()).toEqual(["sid", "sid", "sid", "sub"]);
      expect(revoked).toContainEqual({ kind: "sub", digest: sha256Base64url(user.id) });
      const entries = await app.auditEntries();
      expect(entries.slice(-3)).toMatchObject([
        { action: "session.ended", actor_id: user.id },
        { action: "session.ended", actor_id: user.id },
        { action: "user.deleted", actor_kind: "user", actor_id: user.id, target_id: user.id },
      ]);
      // The waiting mail is deleted. The last mail reports the deletion.
      expect((await app.mail("old@example.com")).template).toBe("account_deleted");
      const mail = await app.mail(user.email);
      expect(mail.template).toBe("account_deleted");
      expect(await kysely.selectFrom("users").select("id").where("deleted_at", "is", null).execute()).toEqual([
        { id: stranger.id },
      ]);
    },
  );

  t.test("no old credential works; the address is free again, and the external id is not (ASVS 7.4.2)", async (app) => {
    const { user, tokens } = await app.signedIn();
    await backend(app).patch(`/v1/users/${user.id}`, { external_id: "42" });
    const elsewhere = await app.signIn(user, app.defaultApplicationId);
    await app.client().bearer(tokens.accessToken).delete("/v1/me");
    for (const { accessToken, refreshToken } of [tokens, elsewhere]) {
      expect((await app.client().bearer(accessToken).get("/v1/me")).code).toBe("token_revoked");
      expect((await app.client().bearer(accessToken).delete("/v1/me")).code).toBe("token_revoked");
      expect((await app.client().post("/v1/auth/refresh", { refresh_token: refreshToken })).code).toBe("token_revoked");
    }
    expect((await app.client().post("/v1/auth/login", user.login)).code).toBe("invalid_credentials");
    expect((await backend(app).post("/v1/users", { external_id: "42" })).code).toBe("conflict");
    expect((await backend(app).post("/v1/users", { email: user.email })).status).toBe(201);
    expect((await app.mails()).map(({ template }) => template)).toEqual(["account_deleted"]);
  });

  t.test("twenty deletions at once delete once and mail once", async (app) => {
    const { user, tokens } = await app.signedIn();
    await proveAddress(app, user.id);
    const client = app.client().bearer(tokens.accessToken);
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.delete("/v1/me")));
    expect(answers.map(({ status, code }) => code ?? status).sort()).toEqual([
      200,
      ...Array<string>(19).fill("token_revoked"),
    ] as never);
    expect((await app.audit()).filter((action) => action === "user.deleted")).toHaveLength(1);
    await app.mail(user.email);
  });

  t.test("clears the browser's cookies, also the trusted device's", async (app) => {
    const user = await app.user();
    const page = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    await page.post("/v1/auth/login", user.login);
    const foreign = page.with({ origin: "https://evil.example" });
    expect((await foreign.delete("/v1/me")).code).toBe("origin_not_allowed");
    const answer = await page.delete("/v1/me");
    const cleared = answer.cookies.filter(({ attributes }) => attributes["max-age"] === "0");
    expect(cleared.map(({ name, value }) => [name.slice(0, 12), value]).sort()).toEqual([
      ["sallyport_at", ""],
      ["sallyport_rt", ""],
      ["sallyport_td", ""],
    ]);
    // Other accounts may use the same browser.
    expect([...(page.jar?.keys() ?? [])]).toEqual(["sallyport_dv"]);
  });

  t.test("asks for a fresh sign-in (ASVS 7.5.3)", async (app) => {
    const { user, tokens } = await app.signedIn();
    app.clock.advance(601_000);
    const before = await app.state();
    const answer = await app.client().bearer(tokens.accessToken).delete("/v1/me");
    expect([answer.status, answer.code]).toEqual([401, "insufficient_user_authentication"]);
    expect(answer.headers.get("www-authenticate")).toContain('max_age="600"');
    expect(await app.state()).toBe(before);
    const fresh = await app.signIn(user);
    expect((await app.client().bearer(fresh.accessToken).delete("/v1/me")).status).toBe(200);
  });

  t.test("one factor does not delete the account of a user who has two (ASVS 7.5.3)", async (app) => {
    const { user, tokens } = await app.signedIn();
    enrol(app, user.id);
    const client = app.client().bearer(tokens.accessToken);
    const before = await app.state();
    const refused = await client.delete("/v1/me");
    expect([refused.code, refused.body.error.details]).toEqual([
      "insufficient_user_authentication",
      { acr_values: "aal2", max_age: null },
    ]);
    expect(await app.state()).toBe(before);
    await app.storage.write(
      async ({ kysely }) => void (await kysely.updateTable("sessions").set({ aal: "aal2" }).execute()),
    );
    expect((await client.delete("/v1/me")).status).toBe(200);
  });

  t.test(
    "an anonymous person may delete the account at any time, because there is no factor to prove again",
    async (app) => {
      await allowAnonymous(app);
      const { body } = await anonymousUser(app);
      app.clock.advance(601_000);
      expect((await app.client().bearer(body.access_token).delete("/v1/me")).status).toBe(200);
      expect(await app.mailsWritten()).toBe(0);
    },
  );

  t.test("takes no id, so that no user can delete another (ASVS 8.2.2)", async (app) => {
    const { tokens } = await app.signedIn();
    const other = await app.user();
    const client = app.client().bearer(tokens.accessToken);
    await client.delete(`/v1/me?id=${other.id}&user_id=${other.id}`);
    const rows = await app.storage.read.kysely
      .selectFrom("users")
      .select("id")
      .where("deleted_at", "is", null)
      .execute();
    expect(rows).toEqual([{ id: other.id }]);
  });
});
