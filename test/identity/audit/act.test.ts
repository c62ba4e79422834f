import { expect } from "bun:test";
import { ActIn, placeOf, SYSTEM, systemAct, userRef } from "../../../src/identity/audit/act.ts";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";

const ORIGIN = { requestId: "request", address: "192.0.2.1", network: "192.0.2.1", userAgent: "agent" };

/** Returns the last entry without its place in the log. */
async function lastEntry(app: TestApp): Promise<object> {
  const { seq, ...entry } = await app.storage.read.kysely
    .selectFrom("audit_entries")
    .selectAll()
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirstOrThrow();
  expect(Number(seq)).toBeGreaterThan(0);
  return entry;
}

scenarios("an act in the audit log", (t) => {
  t.test("carries its application, origin and actor in every entry", async (app) => {
    const { user } = await app.signedIn();
    const act = (await app.act({ origin: ORIGIN })).by(userRef(user.id));
    const common = {
      tenant_id: app.tenantId,
      occurred_at: 7,
      actor_kind: "user",
      actor_id: user.id,
      application_id: app.applicationId,
      address: "192.0.2.1",
      user_agent: "agent",
      request_id: "request",
      chain_mac: null,
    };
    await app.storage.write((tx) => act.audit(tx, 7, "user.changed", userRef(user.id), { fields: ["name"] }));
    const target = { target_kind: "user", target_id: user.id };
    expect(await lastEntry(app)).toEqual({
      ...common,
      ...target,
      action: "user.changed",
      details: '{"fields":["name"]}',
    });
    await app.storage.write((tx) => act.audit(tx, 7, "user.exported"));
    const none = { target_kind: null, target_id: null, details: "{}" };
    expect(await lastEntry(app)).toEqual({ ...common, ...none, action: "user.exported" });
    const details = '{"times_this_minute":1}';
    await app.storage.write((tx) => act.auditSparsely(tx, 7, "notice.withheld"));
    expect(await lastEntry(app)).toEqual({ ...common, ...none, action: "notice.withheld", details });
    // A failed proof says nothing about the person who tried, even with a session.
    await app.storage.write((tx) => act.auditRefusal(tx, 7, "sign_in.refused"));
    const nobody = { actor_kind: "anonymous", actor_id: null };
    expect(await lastEntry(app)).toEqual({ ...common, ...none, ...nobody, action: "sign_in.refused", details });
    expect(act.actor).toEqual(userRef(user.id));
  });

  t.test("of the system belongs to an application, a tenant or the instance", async (app) => {
    const places = [placeOf(app.tenantId, app.applicationId), placeOf(app.tenantId), placeOf(null)];
    for (const place of places) {
      expect(systemAct(place)).toEqual(
        new ActIn(place, { requestId: "", address: "", network: "", userAgent: null }, SYSTEM),
      );
      await app.storage.write((tx) => systemAct(place).audit(tx, 7, "tenant.changed"));
      expect(await lastEntry(app)).toMatchObject({
        tenant_id: place.tenant.id,
        application_id: place.id,
        actor_kind: "system",
        actor_id: null,
        address: null,
        user_agent: null,
        request_id: null,
      });
    }
  });
});
