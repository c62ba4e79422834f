import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";

const KIND = "test";
const MINUTE = 60_000;

/** Begins a flow of one minute at its first step. */
function begin(app: TestApp, step = "first"): Promise<string> {
  return app.storage.write((tx) =>
    app.identity.flows.start(tx, {
      tenantId: app.tenantId,
      applicationId: app.applicationId,
      userId: null,
      kind: KIND,
      step,
      state: { proofs: [] },
      lifetime: MINUTE,
    }),
  );
}

const advance = (app: TestApp, id: string, from: string, to: string, kind = KIND) =>
  app.storage.write((tx) => app.identity.flows.advance(tx, { id, kind, from, to, state: { from } }));
const consume = (app: TestApp, id: string, step: string, kind = KIND) =>
  app.storage.write((tx) => app.identity.flows.consume(tx, id, kind, step));
const find = (app: TestApp, id: string, kind = KIND) => app.identity.flows.find(app.storage.read, id, kind);

scenarios("flow records", (t) => {
  t.test("a step out of order finds no record and changes nothing", async (app) => {
    const id = await begin(app);
    expect(await advance(app, id, "second", "third")).toBe(false);
    expect(await consume(app, id, "second")).toBeUndefined();
    expect(await find(app, id)).toMatchObject({ step: "first", state: '{"proofs":[]}', consumed_at: null });
    expect(await advance(app, id, "first", "second")).toBe(true);
    expect(await advance(app, id, "first", "second")).toBe(false);
    expect(await find(app, id)).toMatchObject({ step: "second", state: '{"from":"first"}' });
  });

  t.test("a flow of one kind does not count as another kind", async (app) => {
    const id = await begin(app);
    expect(await find(app, id, "other")).toBeUndefined();
    expect(await advance(app, id, "first", "second", "other")).toBe(false);
    expect(await consume(app, id, "first", "other")).toBeUndefined();
    expect(await find(app, id)).toMatchObject({ step: "first" });
  });

  t.test("one of twenty simultaneous moves or spends succeeds", async (app) => {
    const moved = await begin(app);
    const moves = await Promise.all(Array.from({ length: 20 }, () => advance(app, moved, "first", "second")));
    expect(moves.filter(Boolean)).toHaveLength(1);
    const spent = await Promise.all(Array.from({ length: 20 }, () => consume(app, moved, "second")));
    expect(spent.filter((row) => row !== undefined)).toHaveLength(1);
    expect(await find(app, moved)).toBeUndefined();
    expect(await advance(app, moved, "second", "third")).toBe(false);
  });

  t.test("an expired flow is not found, moved or spent", async (app) => {
    const id = await begin(app);
    app.clock.advance(MINUTE - 1);
    expect(await find(app, id)).toBeDefined();
    app.clock.advance(1);
    expect(await find(app, id)).toBeUndefined();
    expect(await advance(app, id, "first", "second")).toBe(false);
    expect(await consume(app, id, "first")).toBeUndefined();
  });
});
