import { expect } from "bun:test";
import { AbandonedUsers } from "../../../src/features/anonymous/abandoned.ts";
import { insertPassword } from "../../../src/features/password/store.ts";
import { claimUser, insertEmail } from "../../../src/identity/users/store.ts";
import type { TestApp } from "../../support/app.ts";
import { backend } from "../../support/management.ts";
import { allowAnonymous, anonymousUser } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { addFactors } from "../account/support.ts";

const DAY = 86_400_000;

const run = async (app: TestApp) => {
  const job = app.app.jobs.find(({ name }) => name === "anonymous-retention");
  if (!job) throw new Error("there is no such job");
  await job.run();
};
const live = async (app: TestApp) => {
  const rows = await app.storage.read.kysely.selectFrom("users").select("id").where("deleted_at", "is", null).execute();
  return rows.map(({ id }) => id).sort();
};
const guest = async (app: TestApp) => {
  const { body } = await anonymousUser(app);
  return { id: body.user.id, access: body.access_token, refresh: body.refresh_token };
};

scenarios("anonymous users who can never come back", (t) => {
  t.test("are deleted like any user after 30 days, and the audit log says so", async (app) => {
    await allowAnonymous(app);
    const gone = await guest(app);
    const left = await guest(app);
    await app.client().bearer(left.access).post("/v1/auth/logout");
    app.clock.advance(30 * DAY - 1_000);
    await run(app);
    expect(await live(app)).toEqual([gone.id, left.id].sort());
    app.clock.advance(2_000);
    await run(app);
    expect(await live(app)).toEqual([]);
    const deleted = (await app.auditEntries()).filter(({ action }) => action === "user.deleted");
    expect(deleted.map(({ actor_kind, target_id }) => [actor_kind, target_id]).sort()).toEqual(
      [gone.id, left.id].map((id) => ["system", id]).sort(),
    );
    const { kysely } = app.storage.read;
    expect(await kysely.selectFrom("sessions").selectAll().execute()).toEqual([]);
    expect(await kysely.selectFrom("account_devices").selectAll().execute()).toEqual([]);
    expect((await app.client().post("/v1/auth/refresh", { refresh_token: gone.refresh })).code).toBe("token_revoked");
    await run(app);
    expect((await app.audit()).filter((action) => action === "user.deleted")).toHaveLength(2);
  });

  t.test("stay while their session is live or was used lately", async (app) => {
    await allowAnonymous(app);
    const used = await guest(app);
    app.clock.advance(20 * DAY);
    const refreshed = await app.client().post("/v1/auth/refresh", { refresh_token: used.refresh });
    app.clock.advance(20 * DAY);
    await run(app);
    expect(await live(app)).toEqual([used.id]);
    const again = await app.client().post("/v1/auth/refresh", { refresh_token: refreshed.body.refresh_token });
    await app.client().bearer(again.body.access_token).post("/v1/auth/logout");
    await run(app);
    expect(await live(app)).toEqual([used.id]);
    app.clock.advance(31 * DAY);
    await run(app);
    expect(await live(app)).toEqual([]);
  });

  t.test("stay if they can be reached in any other way, whatever the account's mark says", async (app) => {
    await allowAnonymous(app);
    const [claimed, external, addressed, secured, keyed] = await Promise.all(
      Array.from({ length: 5 }, () => guest(app)),
    );
    if (!claimed || !external || !addressed || !secured || !keyed) throw new Error("five were made");
    await app.storage.write(async (tx) => {
      const now = app.clock.now();
      const tenantId = app.tenantId;
      await claimUser(tx, claimed.id, now);
      const email = {
        id: claimed.id,
        tenantId,
        userId: addressed.id,
        address: "a@example.com",
        canonical: "a@example.com",
      };
      await insertEmail(tx, { ...email, now });
      await insertPassword(tx, { userId: secured.id, tenantId, hash: "p1$none", now });
    });
    await addFactors(app, keyed.id);
    await backend(app).patch(`/v1/users/${external.id}`, { external_id: "42" });
    const made = (await backend(app).post("/v1/users", {})).body.id;
    const person = await app.user();
    app.clock.advance(400 * DAY);
    const before = await app.state();
    await run(app);
    expect(await live(app)).toEqual(
      [claimed.id, external.id, addressed.id, secured.id, keyed.id, made, person.id].sort(),
    );
    expect(await app.state()).toBe(before);
  });

  t.test("are deleted a batch at a time, the oldest first; two runs at once delete each user once", async (app) => {
    await allowAnonymous(app);
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) {
      ids.push((await guest(app)).id);
      app.clock.advance(1_000);
    }
    app.clock.advance(31 * DAY);
    const abandoned = new AbandonedUsers(app.identity, 30);
    await abandoned.delete(2);
    expect(await live(app)).toEqual(ids.slice(2).sort());
    // Each run deletes all that are left, so it does not matter which of them looks first.
    await Promise.all([abandoned.delete(), abandoned.delete(), abandoned.delete()]);
    expect(await live(app)).toEqual([]);
    const deleted = (await app.auditEntries()).filter(({ action }) => action === "user.deleted");
    expect(deleted.map((entry) => entry.target_id).sort()).toEqual(ids.sort());
  });

  t.test("stay if they are claimed between the look and the deletion", async (app) => {
    await allowAnonymous(app);
    const { id } = await guest(app);
    app.clock.advance(31 * DAY);
    const { identity, storage } = app;
    const late = Object.create(storage, {
      write: {
        value: async (work: Parameters<typeof storage.write>[0]) => {
          await storage.write((tx) => claimUser(tx, id, app.clock.now()));
          return storage.write(work);
        },
      },
    }) as typeof storage;
    await new AbandonedUsers({ ...identity, storage: late }, 30).delete();
    expect(await live(app)).toEqual([id]);
  });

  t.test("are deleted in every tenant, also without a default application", async (app) => {
    const acme = await app.tenant("acme");
    await allowAnonymous(app);
    const client = app.client({ "x-application-id": acme.applicationId });
    expect((await client.post("/v1/auth/anonymous")).status).toBe(201);
    await app.storage.write(async ({ kysely }) => {
      await kysely.updateTable("tenants").set({ default_application_id: null }).where("id", "=", acme.id).execute();
    });
    app.forget();
    app.clock.advance(31 * DAY);
    await run(app);
    expect(await live(app)).toEqual([]);
  });

  t.test(
    "the number of days is a setting",
    async (app) => {
      await allowAnonymous(app);
      const { id } = await guest(app);
      app.clock.advance(31 * DAY);
      await run(app);
      expect(await live(app)).toEqual([id]);
      app.clock.advance(60 * DAY);
      await run(app);
      expect(await live(app)).toEqual([]);
    },
    { settings: { anonymous_retention_days: 90 } },
  );
});
