import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { WireResource } from "../../../src/features/manage-resources/wire.ts";
import type { TestApp } from "../../support/app.ts";
import { backend, fields } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";

const NOBODY = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const orders = { audience: "https://api.example.com", name: "Orders", scopes: [{ name: "orders:read" }] };
const create = (app: TestApp, body: unknown, secretKey = app.secretKey) =>
  backend(app, secretKey).post("/v1/resources", body);

scenarios("/v1/resources", (t) => {
  t.test("creates, reads, changes and deletes a resource; the audit log names the key of each act", async (app) => {
    const made = await create(app, orders);
    expect(made.status).toBe(201);
    expect(fields<WireResource>(made)).toEqual({
      id: expect.any(String),
      audience: "https://api.example.com",
      name: "Orders",
      scopes: [{ name: "orders:read", description: null }],
      created_at: "2026-03-01T12:00:00.250Z",
      updated_at: "2026-03-01T12:00:00.250Z",
    });
    const path = `/v1/resources/${toPrefixedId("resource", made.body.id)}`;
    expect((await backend(app).get(path)).body).toEqual(made.body);
    app.clock.advance(1_000);
    const renamed = await backend(app).patch(path, { name: "All orders" });
    expect(fields<WireResource>(renamed)).toEqual({
      ...fields<WireResource>(made),
      name: "All orders",
      updated_at: "2026-03-01T12:00:01.250Z",
    });
    const replaced = await backend(app).patch(path, { scopes: [{ name: "orders:write", description: "Change." }] });
    expect(fields<WireResource>(replaced)).toMatchObject({
      name: "All orders",
      scopes: [{ name: "orders:write", description: "Change." }],
    });
    expect((await backend(app).delete(path)).body.status).toBe("success");
    expect((await backend(app).get(path)).code).toBe("not_found");
    expect((await backend(app).patch(path, { name: "x" })).code).toBe("not_found");
    expect((await backend(app).delete(path)).code).toBe("not_found");
    const entries = await app.auditEntries();
    expect(entries.map((entry) => entry.action)).toEqual([
      "resource.created",
      "resource.changed",
      "resource.changed",
      "resource.deleted",
    ]);
    for (const entry of entries) expect(entry).toMatchObject({ actor_kind: "key", target_id: made.body.id });
  });

  t.test("an audience is unique in its tenant, exactly as written, also when twenty come at once", async (app) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(app, orders)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array<number>(19).fill(409)]);
    const refused = answers.find((answer) => answer.status === 409);
    expect(refused?.body.error.details).toEqual([{ path: "audience", reason: "is taken" }]);
    expect((await create(app, { ...orders, audience: "https://API.example.com" })).status).toBe(201);
    const acme = await app.tenant("acme");
    expect((await create(app, orders, acme.secretKey)).status).toBe(201);
  });

  t.test("bad input is refused by its field, and the appliance's own names stay reserved", async (app) => {
    const acme = await app.tenant("acme");
    const before = await app.state();
    const bad: [Record<string, unknown>, string][] = [
      [{ audience: undefined }, "audience"],
      [{ audience: "" }, "audience"],
      [{ audience: "two words" }, "audience"],
      [{ audience: "https://ä.example" }, "audience"],
      [{ audience: "x".repeat(256) }, "audience"],
      [{ audience: app.publicUrl }, "audience"],
      [{ audience: `${app.publicUrl}/management` }, "audience"],
      [{ audience: `${app.publicUrl.toUpperCase()}/management` }, "audience"],
      [{ audience: `${app.publicUrl}/api/${app.applicationId}` }, "audience"],
      [{ audience: `${acme.issuer}/management` }, "audience"],
      [{ audience: app.applicationId }, "audience"],
      [{ audience: toPrefixedId("application", app.applicationId) }, "audience"],
      [{ name: "" }, "name"],
      [{ name: "a\u0000" }, "name"],
      [{ scopes: ["orders:read"] }, "scopes.0"],
      [{ scopes: [{ name: "two words" }] }, "scopes.0.name"],
      [{ scopes: [{ name: 'quo"te' }] }, "scopes.0.name"],
      [{ scopes: [{ name: "account" }] }, "scopes.0.name"],
      [{ scopes: [{ name: "a" }, { name: "a" }] }, "scopes"],
      [{ scopes: [{ name: "a", admin: true }] }, "scopes.0.admin"],
      [{ id: NOBODY }, "id"],
      [{ tenant_id: acme.id }, "tenant_id"],
    ];
    for (const [change, path] of bad) {
      const refused = await create(app, { ...orders, ...change });
      expect([JSON.stringify(change), refused.status, refused.code]).toEqual([
        JSON.stringify(change),
        400,
        "invalid_input",
      ]);
      expect(refused.body.error.details).toMatchObject([{ path }]);
    }
    expect(await app.state()).toBe(before);
    const { id } = (await create(app, orders)).body;
    expect((await backend(app).patch(`/v1/resources/${id}`, { audience: "https://other.example" })).status).toBe(400);
    const account = await backend(app).patch(`/v1/resources/${id}`, { scopes: [{ name: "account" }] });
    expect(account.body.error.details).toMatchObject([{ path: "scopes.0.name" }]);
  });

  t.test("lists the tenant's resources by cursor, and no other tenant's", async (app) => {
    const acme = await app.tenant("acme");
    await create(app, orders, acme.secretKey);
    const sibling = await app.newSecretKey({ applicationId: app.defaultApplicationId });
    for (const [index, key] of [app.secretKey, sibling, app.secretKey].entries()) {
      app.clock.advance(1);
      await create(app, { ...orders, audience: `urn:api:${index}` }, key);
    }
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${toPrefixedId("resource", cursor)}`;
      const page = fields<{ data: WireResource[]; next_cursor: string | null }>(
        await backend(app).get(`/v1/resources?limit=2${query}`),
      );
      found.push(...page.data.map((resource) => resource.audience));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(found).toEqual(["urn:api:0", "urn:api:1", "urn:api:2"]);
    expect((await backend(app).get("/v1/resources?cursor=x")).code).toBe("invalid_input");
  });

  t.test("another tenant's resource looks like an unknown one; each route asks for its own scope", async (app) => {
    const acme = await app.tenant("acme");
    const { id } = (await create(app, orders)).body;
    const reader = await app.newSecretKey({ scopes: ["resources:read", "users:write"] });
    const writer = await app.newSecretKey({ scopes: ["resources:write", "users:read"] });
    const routes: [string, string, unknown, string, string][] = [
      ["POST", "/v1/resources", orders, reader, "resources:write"],
      ["GET", "/v1/resources", undefined, writer, "resources:read"],
      ["GET", `/v1/resources/${id}`, undefined, writer, "resources:read"],
      ["PATCH", `/v1/resources/${id}`, { name: "x" }, reader, "resources:write"],
      ["DELETE", `/v1/resources/${id}`, undefined, reader, "resources:write"],
    ];
    const before = await app.state();
    for (const [method, path, json, key, scope] of routes) {
      const options = json === undefined ? {} : { json };
      const refused = await backend(app, key).send(method, path, options);
      expect([path, refused.status, refused.body.error.details]).toEqual([path, 403, { scope }]);
      expect((await app.client().send(method, path, options)).status).toBe(401);
      if (!path.includes(id)) continue;
      const stranger = await backend(app, acme.secretKey).send(method, path, options);
      expect([path, stranger.status, stranger.code]).toEqual([path, 404, "not_found"]);
    }
    const mixed = await backend(app).patch(`/v1/resources/${id}`, { id: NOBODY, name: "x" });
    expect(mixed.body.error.details).toEqual([{ path: "id", reason: "is taken from the path" }]);
    expect(await app.state()).toBe(before);
  });

  t.test("Idempotency-Key gives the same answer again, and 409 for another body", async (app) => {
    const headers = { "idempotency-key": "r-1" };
    const first = await backend(app).post("/v1/resources", orders, { headers });
    const again = await backend(app).post("/v1/resources", orders, { headers });
    expect([again.status, again.text]).toEqual([201, first.text]);
    const other = await backend(app).post("/v1/resources", { ...orders, name: "Other" }, { headers });
    expect([other.status, other.code]).toEqual([409, "conflict"]);
    expect(await app.audit()).toEqual(["resource.created"]);
  });
});
