import { expect } from "bun:test";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/core/clock.ts";
import { toPrefixedId } from "../../../src/core/ids.ts";
import { sha256Base64url } from "../../../src/crypto/secrets.ts";
import type { WireApiKey } from "../../../src/features/manage-api-keys/wire.ts";
import type { TestApp } from "../../support/app.ts";
import { backend, fields } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";

async function make(app: TestApp, extra: Record<string, unknown> = {}) {
  const made = await backend(app).post("/v1/api-keys", { name: "made", scopes: ["admin"], ...extra });
  expect(made.status).toBe(201);
  return { id: made.body.id, secret: made.body.secret ?? "" };
}
const use = async (app: TestApp, secret: string) => {
  const answer = await backend(app, secret).get("/v1/users");
  return answer.code ?? answer.status;
};

scenarios("the life of an API key", (t) => {
  t.test(
    "a revoked key is refused from the next call on, and verifiers and the audit log learn of it once",
    async (app) => {
      const key = await make(app);
      expect(await use(app, key.secret)).toBe(200);
      const revoked = await backend(app).delete(`/v1/api-keys/${toPrefixedId("apiKey", key.id)}`);
      expect([revoked.status, fields<WireApiKey>(revoked).revoked_at]).toEqual([200, "2026-03-01T12:00:00.250Z"]);
      expect(await use(app, key.secret)).toBe("invalid_credentials");
      const feed = await app.client().get("/v1/revocations");
      expect(feed.text).toContain(sha256Base64url(key.id));
      app.clock.advance(MINUTE);
      const again = await backend(app).delete(`/v1/api-keys/${key.id}`);
      expect([again.status, fields<WireApiKey>(again).revoked_at]).toEqual([200, "2026-03-01T12:00:00.250Z"]);
      const rows = await app.storage.read.kysely.selectFrom("revocations").selectAll().execute();
      expect(rows).toMatchObject([{ kind: "key", digest: sha256Base64url(key.id) }]);
      expect(await app.audit()).toEqual(["api_key.created", "api_key.revoked", "api_key.refused"]);
      expect((await backend(app).post(`/v1/api-keys/${key.id}/rotate`)).code).toBe("conflict");
    },
  );

  t.test("an expired key is refused from its instant on, and shown as before", async (app) => {
    const key = await make(app, { expires_at: "2026-03-01T13:00:00Z" });
    app.clock.set(Date.UTC(2026, 2, 1, 12, 59, 59, 999));
    expect(await use(app, key.secret)).toBe(200);
    app.clock.advance(1);
    expect(await use(app, key.secret)).toBe("invalid_credentials");
    expect((await backend(app).get(`/v1/api-keys/${key.id}`)).status).toBe(200);
    expect((await backend(app).post(`/v1/api-keys/${key.id}/rotate`)).code).toBe("conflict");
  });

  t.test("a key is disabled with its application or tenant (15)", async (app) => {
    for (const table of ["applications", "tenants"] as const) {
      const acme = await app.tenant(`acme-${table}`);
      expect(await use(app, acme.secretKey)).toBe(200);
      await app.disable(table, table === "tenants" ? acme.id : acme.applicationId);
      expect(await use(app, acme.secretKey)).toBe("invalid_credentials");
    }
  });

  t.test("a rotated key keeps its id, and the old secret works for the time that was asked", async (app) => {
    const cases: [unknown, number][] = [
      [{}, DAY],
      [{ overlap_seconds: 60 }, MINUTE],
      [{ overlap_seconds: 0 }, 0],
      [{ overlap_seconds: 2_592_000 }, 30 * DAY],
    ];
    for (const [body, overlap] of cases) {
      const key = await make(app);
      const rotated = await backend(app).post(`/v1/api-keys/${key.id}/rotate`, body);
      expect([rotated.status, rotated.body.id]).toEqual([200, key.id]);
      const fresh = rotated.body.secret ?? "";
      expect(fresh).not.toBe(key.secret);
      const until = overlap === 0 ? null : new Date(app.clock.now() + overlap).toISOString();
      expect(fields<WireApiKey>(rotated).previous_secret_expires_at).toBe(until);
      expect(await use(app, fresh)).toBe(200);
      if (overlap > 0) {
        app.clock.advance(overlap - 1);
        expect(await use(app, key.secret)).toBe(200);
        app.clock.advance(1);
      }
      expect([JSON.stringify(body), await use(app, key.secret)]).toEqual([JSON.stringify(body), "invalid_credentials"]);
      expect(await use(app, fresh)).toBe(200);
    }
    const refused = [{ overlap_seconds: 2_592_001 }, { overlap_seconds: -1 }, { overlap_seconds: 1.5 }, { overlap: 1 }];
    const key = await make(app);
    for (const body of refused) {
      expect((await backend(app).post(`/v1/api-keys/${key.id}/rotate`, body)).code).toBe("invalid_input");
    }
    expect((await app.audit()).filter((action) => action === "api_key.rotated")).toHaveLength(cases.length);
  });

  t.test("a second rotation ends the oldest secret at once; a revocation during an overlap ends both", async (app) => {
    const key = await make(app);
    const second = (await backend(app).post(`/v1/api-keys/${key.id}/rotate`)).body.secret ?? "";
    const third = (await backend(app).post(`/v1/api-keys/${key.id}/rotate`)).body.secret ?? "";
    expect([await use(app, key.secret), await use(app, second), await use(app, third)]).toEqual([
      "invalid_credentials",
      200,
      200,
    ]);
    await backend(app).delete(`/v1/api-keys/${key.id}`);
    expect([await use(app, second), await use(app, third)]).toEqual(["invalid_credentials", "invalid_credentials"]);
  });

  t.test("of twenty rotations at once, each succeeds or is 409, and only the last two secrets work", async (app) => {
    const key = await make(app);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => backend(app).post(`/v1/api-keys/${key.id}/rotate`)),
    );
    const done = answers.filter((answer) => answer.status === 200);
    expect(done.length).toBeGreaterThan(0);
    for (const answer of answers) expect([200, 409]).toContain(answer.status);
    const good = await Promise.all(done.map((answer) => use(app, answer.body.secret ?? "")));
    expect(good.filter((result) => result === 200)).toHaveLength(Math.min(2, done.length));
    const row = await app.storage.read.kysely
      .selectFrom("api_keys")
      .selectAll()
      .where("id", "=", key.id)
      .executeTakeFirst();
    expect(row?.generation).toBe(1 + done.length);
  });

  t.test("a narrower key cannot take over a wider one by rotating it", async (app) => {
    const wide = await make(app);
    const narrow = await make(app, { scopes: ["api-keys:write", "api-keys:read"] });
    const signing = await backend(app).post("/v1/api-keys", { name: "signer", kind: "signing" });
    const before = await app.state();
    for (const id of [wide.id, signing.body.id]) {
      const refused = await backend(app, narrow.secret).post(`/v1/api-keys/${id}/rotate`);
      expect([refused.status, refused.code, refused.body.secret]).toEqual([
        403,
        "insufficient_scope",
        undefined as never,
      ]);
    }
    expect(await app.state()).toBe(before);
    expect((await backend(app, narrow.secret).post(`/v1/api-keys/${narrow.id}/rotate`)).status).toBe(200);
    const short = await make(app, { expires_at: "2026-03-01T13:00:00Z" });
    expect((await backend(app, short.secret).post(`/v1/api-keys/${wide.id}/rotate`)).code).toBe("forbidden");
  });

  t.test("refuses and reports another network's address, and x-client-address does not get around it", async (app) => {
    const here = await make(app, { networks: ["127.0.0.0/8"] });
    const elsewhere = await make(app, { networks: ["192.0.2.0/24", "2001:db8::/32"] });
    expect(await use(app, here.secret)).toBe(200);
    expect(await use(app, elsewhere.secret)).toBe("forbidden");
    const claims = backend(app, elsewhere.secret).with({ "x-client-address": "192.0.2.7" });
    expect((await claims.get("/v1/users")).code).toBe("forbidden");
    const login = await claims.post("/v1/auth/login", { email: "a@example.com", password: "x" });
    expect(login.code).toBe("forbidden");
    const told = (await app.auditEntries()).filter((entry) => entry.action === "api_key.refused");
    expect(told[0]).toMatchObject({ target_id: elsewhere.id, address: "127.0.0.1" });
    expect(JSON.parse(told[0]?.details ?? "{}")).toMatchObject({ reason: "network" });
  });

  t.test("the rate limit counts each call of both transports and of a batch, with Retry-After", async (app) => {
    const key = await make(app, { rate_limit: "3/1m" });
    const client = backend(app, key.secret);
    expect((await client.get("/v1/users")).status).toBe(200);
    expect((await client.get("/trpc/users.list,users.list?batch=1")).status).toBe(200);
    const refused = await client.get("/v1/users");
    expect([refused.status, refused.code, refused.headers.get("retry-after")]).toEqual([429, "rate_limited", "20"]);
    expect((await client.query("users.list")).status).toBe(429);
    expect(await use(app, app.secretKey)).toBe(200);
    app.clock.advance(20 * SECOND);
    expect((await client.get("/v1/users")).status).toBe(200);
  });

  t.test("keeps the time of the last use to the hour", async (app) => {
    const key = await make(app);
    // The call does not wait for the write that records it.
    const lastUse = async (wanted: string) => {
      for (let tries = 0; tries < 200; tries++) {
        const answer = await backend(app).get(`/v1/api-keys/${key.id}`);
        if (fields<WireApiKey>(answer).last_used_at === wanted) return wanted;
        await Bun.sleep(5);
      }
      return null;
    };
    await use(app, key.secret);
    expect(await lastUse("2026-03-01T12:00:00.250Z")).not.toBeNull();
    app.clock.advance(HOUR - 1);
    await use(app, key.secret);
    app.clock.advance(1);
    await use(app, key.secret);
    expect(await lastUse("2026-03-01T13:00:00.250Z")).not.toBeNull();
  });

  t.test("retention deletes ended keys after 90 days, and an old secret after its overlap", async (app) => {
    const ended = await make(app);
    const rotated = await make(app);
    await backend(app).delete(`/v1/api-keys/${ended.id}`);
    await backend(app).post(`/v1/api-keys/${rotated.id}/rotate`, { overlap_seconds: 60 });
    await backend(app).post("/v1/api-keys", { name: "x", scopes: ["admin"] }, { headers: { "idempotency-key": "k" } });
    const retention = app.app.jobs.find((job) => job.name === "retention");
    const find = (id: string) =>
      app.storage.read.kysely.selectFrom("api_keys").selectAll().where("id", "=", id).executeTakeFirst();
    const records = () => app.storage.read.kysely.selectFrom("idempotency_records").selectAll().execute();
    app.clock.advance(MINUTE - 1);
    await retention?.run();
    expect((await find(rotated.id))?.previous_digest).not.toBeNull();
    app.clock.advance(1);
    await retention?.run();
    expect(await find(rotated.id)).toMatchObject({ previous_digest: null, previous_expires_at: null });
    expect(await records()).toHaveLength(1);
    app.clock.advance(DAY);
    await retention?.run();
    expect(await records()).toEqual([]);
    app.clock.advance(89 * DAY - MINUTE);
    await retention?.run();
    expect(await find(ended.id)).toBeDefined();
    app.clock.advance(1);
    await retention?.run();
    expect(await find(ended.id)).toBeUndefined();
  });
});
