import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { backend } from "../../support/management.ts";
import { postgresScenarios, scenarios } from "../../support/scenarios.ts";

interface Made {
  id: string;
  secret: string;
}

async function make(app: TestApp, by: string, extra: Record<string, unknown> = {}): Promise<Made> {
  const made = await backend(app, by).post("/v1/api-keys", { name: "made", scopes: ["admin"], ...extra });
  expect([made.status, made.text]).toEqual([201, made.text]);
  return { id: made.body.id, secret: made.body.secret ?? "" };
}
const use = async (app: TestApp, secret: string) => (await backend(app, secret).get("/v1/users")).status;
const end = (app: TestApp, by: string, { id }: Made) => backend(app, by).delete(`/v1/api-keys/${id}`);

scenarios("the descent of API keys", (t) => {
  t.test("a key that is revoked takes along every key that it made, and no other", async (app) => {
    const leaked = await make(app, app.secretKey);
    const child = await make(app, leaked.secret);
    const grandchild = await make(app, child.secret, { scopes: ["users:read"] });
    const signing = await backend(app, child.secret).post("/v1/api-keys", { name: "signs", kind: "signing" });
    const sibling = await make(app, app.secretKey);
    expect((await end(app, app.secretKey, leaked)).status).toBe(200);
    const statuses = [leaked, child, grandchild, sibling].map(({ secret }) => use(app, secret));
    expect(await Promise.all(statuses)).toEqual([401, 401, 401, 200]);
    const rows = await app.storage.read.kysely.selectFrom("revocations").select("kind").execute();
    expect(rows).toHaveLength(4);
    const ended = await app.storage.read.kysely.selectFrom("api_keys").select("id").where("revoked_at", "is not", null);
    expect((await ended.execute()).map(({ id }) => id).sort()).toEqual(
      [leaked.id, child.id, grandchild.id, signing.body.id].sort(),
    );
    expect((await app.audit()).filter((action) => action === "api_key.revoked")).toHaveLength(4);
  });

  t.test("the calls of a key count against the limit of every key that it descends from", async (app) => {
    // Making the children takes two calls of the limit.
    const limited = await make(app, app.secretKey, { rate_limit: "7/1h" });
    const child = await make(app, limited.secret);
    const grandchild = await make(app, child.secret, { rate_limit: "2/1h" });
    const calls: number[] = [];
    for (const { secret } of [grandchild, child, grandchild, grandchild, grandchild, limited, child, limited]) {
      calls.push(await use(app, secret));
    }
    // A refused call of the grandchild takes nothing from its parents.
    expect(calls).toEqual([200, 200, 200, 429, 429, 200, 200, 429]);
    expect(await use(app, child.secret)).toBe(429);
    expect(await use(app, app.secretKey)).toBe(200);
  });

  t.test("a key with a limit makes no signing or public key, which would have none", async (app) => {
    const limited = await make(app, app.secretKey, { rate_limit: "50/1h" });
    for (const kind of ["signing", "public"]) {
      const refused = await backend(app, limited.secret).post("/v1/api-keys", { name: "free", kind });
      expect([kind, refused.status, refused.code]).toEqual([kind, 403, "forbidden"]);
    }
  });

  t.test("a narrow key ends no wider key, and no key ends or rotates one that it descends from", async (app) => {
    const narrow = await make(app, app.secretKey, { scopes: ["api-keys:write", "users:read"] });
    const wide = await make(app, app.secretKey);
    const short = await make(app, app.secretKey, { expires_at: "2026-03-01T18:00:00Z" });
    const before = await app.state();
    expect((await end(app, narrow.secret, wide)).code).toBe("insufficient_scope");
    expect((await end(app, short.secret, wide)).code).toBe("forbidden");
    expect(await app.state()).toBe(before);
    const child = await make(app, wide.secret);
    const grandchild = await make(app, child.secret);
    for (const above of [child, wide]) {
      expect((await end(app, grandchild.secret, above)).code).toBe("forbidden");
      expect((await backend(app, grandchild.secret).post(`/v1/api-keys/${above.id}/rotate`)).code).toBe("forbidden");
    }
    expect((await end(app, narrow.secret, narrow)).status).toBe(200);
    expect((await end(app, wide.secret, grandchild)).status).toBe(200);
    expect((await end(app, child.secret, child)).status).toBe(200);
    expect([await use(app, wide.secret), await use(app, grandchild.secret)]).toEqual([200, 401]);
  });
});

postgresScenarios("the descent of API keys, at once", (t) => {
  t.test("no key that is made while its maker is revoked stays alive", async (app) => {
    for (let round = 0; round < 5; round++) {
      const maker = await make(app, app.secretKey);
      const born = Array.from({ length: 6 }, () =>
        backend(app, maker.secret).post("/v1/api-keys", { name: "late", scopes: ["admin"] }),
      );
      const [, ...answers] = await Promise.all([end(app, app.secretKey, maker), ...born]);
      for (const { status, body } of answers) {
        if (status === 201) expect(await use(app, body.secret ?? "")).toBe(401);
        else expect(status).toBe(401);
      }
    }
  });
});
