import { expect } from "bun:test";
import { DAY } from "../../src/core/clock.ts";
import { newId } from "../../src/core/ids.ts";
import { scenarios } from "../support/scenarios.ts";

const OLD_ROWS = 20_500;

scenarios("retention of many rows", (t) => {
  t.test("deletes in small writes, and answers other requests meanwhile", async (app) => {
    await app.signedIn();
    const kept = (await app.auditEntries()).length;
    const occurred_at = app.clock.now() - 400 * DAY;
    const columns = { tenant_id: app.tenantId, actor_kind: "system" as const, action: "retention.test", details: "{}" };
    const empty = { actor_id: null, target_kind: null, target_id: null, application_id: null, address: null };
    const row = { ...columns, ...empty, user_agent: null, request_id: null, chain_mac: null, occurred_at };
    for (let at = 0; at < OLD_ROWS; at += 500) {
      const rows = Array.from({ length: 500 }, (_, index) => ({ ...row, seq: -1 - at - index }));
      await app.storage.write(async (tx) => void (await tx.kysely.insertInto("audit_entries").values(rows).execute()));
    }
    const retention = app.app.jobs.find(({ name }) => name === "retention");
    let running = true;
    const run = retention?.run().finally(() => {
      running = false;
    });
    const left = new Set<number>();
    while (running) {
      expect((await app.client().get("/healthz")).status).toBe(200);
      left.add((await app.auditEntries()).length);
    }
    await run;
    expect([...left].filter((count) => count > kept && count < kept + OLD_ROWS).length).toBeGreaterThan(2);
    expect((await app.auditEntries()).length).toBe(kept);
    expect(app.metric("sallyport_retention_rows_total")).toBe(OLD_ROWS);
    expect(app.metric("sallyport_retention_seconds_total")).toBeGreaterThan(0);
    const told = app.log.lines.find(({ message }) => message === "Retention is done.");
    expect(told?.fields).toMatchObject({ job: "retention", rows: { audit_entries: OLD_ROWS }, complete: true });
  });

  t.test("stops between two writes when the process stops, and says so", async (app) => {
    const stopping = new AbortController();
    stopping.abort();
    await app.storage.write(async (tx) => {
      const row = { key: newId(0), tat_at: 0, expires_at: 1 };
      await tx.kysely.insertInto("rate_limits").values(row).execute();
    });
    await app.app.jobs.find(({ name }) => name === "retention")?.run(stopping.signal);
    const told = app.log.lines.find(({ message }) => message.startsWith("Retention stopped early."));
    expect(told?.fields).toMatchObject({ rows: {}, complete: false });
  });

  t.test("keeps the latest device of every user, and walks past more kept ones than a write holds", async (app) => {
    const user = await app.user();
    const other = await app.user();
    const before = app.clock.now() - 500 * DAY;
    const device = (user_id: string, digest: string, seen: number) => ({
      user_id,
      digest,
      tenant_id: app.tenantId,
      first_seen_at: seen,
      last_seen_at: seen,
    });
    const rows = Array.from({ length: 1_200 }, (_, index) => device(user.id, `d${index}`, before));
    rows.push(device(other.id, "old", before + 1), device(other.id, "new", before + 2));
    await app.storage.write(async (tx) => void (await tx.kysely.insertInto("account_devices").values(rows).execute()));
    await app.app.jobs.find(({ name }) => name === "retention")?.run();
    const left = await app.storage.read.kysely.selectFrom("account_devices").select(["user_id", "digest"]).execute();
    expect(left.filter(({ user_id }) => user_id === other.id)).toEqual([{ user_id: other.id, digest: "new" }]);
    expect(left.filter(({ user_id }) => user_id === user.id)).toHaveLength(1_200);
  });
});
