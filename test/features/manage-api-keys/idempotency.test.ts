import { expect } from "bun:test";
import { DAY } from "../../../src/core/clock.ts";
import type { TestApp } from "../../support/app.ts";
import { backend } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";

const body = { name: "once", scopes: ["users:read"] };
const post = (app: TestApp, key: string, json: unknown = body, secretKey = app.secretKey) =>
  backend(app, secretKey).post("/v1/api-keys", json, { headers: { "idempotency-key": key } });
const count = async (app: TestApp) =>
  (await app.storage.read.kysely.selectFrom("api_keys").select("id").where("name", "=", "once").execute()).length;

scenarios("Idempotency-Key", (t) => {
  t.test("answers a repeated call with the same key, without its secret", async (app) => {
    const first = await post(app, "order-1");
    const again = await post(app, "order-1", { scopes: ["users:read"], name: "once" });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(first.body.secret).toStartWith("sally_sk_");
    expect(again.body).toEqual({ ...first.body, secret: null });
    expect(await count(app)).toBe(1);
    expect(await app.audit()).toEqual(["api_key.created"]);
    // The other transport counts as the same call.
    const trpc = await backend(app).with({ "idempotency-key": "order-1" }).mutate("apiKeys.create", body);
    expect(trpc.text).toContain(first.body.id);
    expect(await count(app)).toBe(1);
  });

  t.test("another body, key, caller or route is another call; another body under the same key is 409", async (app) => {
    const first = await post(app, "order-1");
    const before = await app.state();
    const changed = await post(app, "order-1", { ...body, scopes: ["users:write"] });
    expect([changed.status, changed.code]).toEqual([409, "conflict"]);
    expect(await app.state()).toBe(before);
    expect((await post(app, "order-2")).body.id).not.toBe(first.body.id);
    const other = await app.newSecretKey();
    expect((await post(app, "order-1", body, other)).body.id).not.toBe(first.body.id);
    const headers = { "idempotency-key": "order-1" };
    const rotate = (id: string) => backend(app).post(`/v1/api-keys/${id}/rotate`, {}, { headers });
    const rotated = await rotate(first.body.id);
    expect([rotated.status, typeof rotated.body.secret]).toEqual([200, "string"]);
    const again = await rotate(first.body.id);
    expect([again.status, again.body.secret]).toEqual([200, null]);
    expect((await backend(app, rotated.body.secret ?? "").get("/v1/users")).status).toBe(200);
  });

  t.test("thirty at once create one key, and all get it as the answer", async (app) => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(app, "race")));
    expect(answers.map((answer) => answer.status)).toEqual(Array<number>(30).fill(201));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.body.secret !== null)).toHaveLength(1);
    expect(await count(app)).toBe(1);
    expect(await app.audit()).toEqual(["api_key.created"]);
  });

  t.test("thirty at once with two bodies: one body wins, and the other is 409", async (app) => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        post(app, "race", { name: "once", scopes: [index % 2 ? "forward" : "admin"] }),
      ),
    );
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(15);
    expect(statuses.filter((status) => status === 409)).toHaveLength(15);
    expect(await count(app)).toBe(1);
  });

  t.test("a refused call leaves no record, and a day later the key is free again", async (app) => {
    const narrow = await app.newSecretKey({ scopes: ["api-keys:write"] });
    expect((await post(app, "retry", body, narrow)).status).toBe(403);
    expect(await app.storage.read.kysely.selectFrom("idempotency_records").selectAll().execute()).toEqual([]);
    const first = await post(app, "daily");
    app.clock.advance(DAY - 1);
    expect((await post(app, "daily")).body.id).toBe(first.body.id);
    app.clock.advance(1);
    const next = await post(app, "daily");
    expect(next.body.id).not.toBe(first.body.id);
    expect(next.body.secret).toStartWith("sally_sk_");
  });

  t.test("a key is 1 to 255 visible characters; records hold neither the key nor the secret", async (app) => {
    for (const key of ["", "two words", "x".repeat(256), "é"]) {
      const refused = await post(app, key);
      expect([key.slice(0, 9), refused.status, refused.code]).toEqual([key.slice(0, 9), 400, "invalid_input"]);
    }
    const made = await post(app, "visible-in-no-dump");
    const state = await app.state();
    expect(state).not.toContain("visible-in-no-dump");
    expect(state).not.toContain(made.body.secret ?? "");
  });
});
