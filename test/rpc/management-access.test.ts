import { expect } from "bun:test";
import { SCOPES } from "../../src/identity/api-keys/scopes.ts";
import { proceduresOf } from "../../src/rpc/invoke.ts";
import { backend } from "../support/management.ts";
import { scenarios } from "../support/scenarios.ts";

const ID = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";

/** The scope of each route. Add a new route here, or a changed scope. */
const SCOPE_OF: Record<string, string> = {
  "GET /v1/users": "users:read",
  "POST /v1/users": "users:write",
  "GET /v1/users/{id}": "users:read",
  "PATCH /v1/users/{id}": "users:write",
  "DELETE /v1/users/{id}": "users:write",
  "GET /v1/sessions": "sessions:read",
  "GET /v1/sessions/{id}": "sessions:read",
  "DELETE /v1/sessions/{id}": "sessions:write",
  "GET /v1/api-keys": "api-keys:read",
  "POST /v1/api-keys": "api-keys:write",
  "GET /v1/api-keys/{id}": "api-keys:read",
  "DELETE /v1/api-keys/{id}": "api-keys:write",
  "POST /v1/api-keys/{id}/rotate": "api-keys:write",
  "GET /v1/applications": "applications:read",
  "GET /v1/applications/{id}": "applications:read",
  "GET /v1/resources": "resources:read",
  "POST /v1/resources": "resources:write",
  "GET /v1/resources/{id}": "resources:read",
  "PATCH /v1/resources/{id}": "resources:write",
  "DELETE /v1/resources/{id}": "resources:write",
};

scenarios("the gate on every route for a backend", (t) => {
  t.test("asks for the documented scopes, which the catalogue has", async (app) => {
    const declared: Record<string, string> = {};
    for (const { _def } of Object.values(proceduresOf(app.app.router))) {
      const { access, rest } = _def.meta ?? {};
      if (access?.kind === "key") declared[`${rest?.method} ${rest?.path}`] = access.scope;
    }
    expect(declared).toEqual(SCOPE_OF);
    for (const scope of Object.values(declared)) expect(SCOPES).toContain(scope as never);
  });

  t.test("refuses every scope except its own and admin, before it reads the body", async (app) => {
    const keys = new Map<string, string>();
    for (const scope of SCOPES) keys.set(scope, await app.newSecretKey({ scopes: [scope] }));
    const all = await app.newSecretKey({ scopes: SCOPES.filter((scope) => scope !== "admin") });
    const before = await app.state();
    for (const [route, own] of Object.entries(SCOPE_OF)) {
      const [method = "", template = ""] = route.split(" ");
      const path = template.replace("{id}", ID);
      const options = method === "POST" || method === "PATCH" ? { json: { not: "known" } } : {};
      for (const [scope, key] of keys) {
        const { status } = await backend(app, key).send(method, path, options);
        const passes = scope === own || scope === "admin";
        expect([route, scope, status === 403]).toEqual([route, scope, !passes]);
        expect([route, scope, status === 401]).toEqual([route, scope, false]);
      }
      expect([route, (await backend(app, all).send(method, path, options)).status === 403]).toEqual([route, false]);
    }
    expect(await app.state()).toBe(before);
  });

  t.test("refuses a key under another tenant's address or with another application", async (app) => {
    const acme = await app.tenant("acme");
    for (const route of Object.keys(SCOPE_OF)) {
      const [method = "", template = ""] = route.split(" ");
      const path = template.replace("{id}", ID);
      const options = method === "POST" || method === "PATCH" ? { json: {} } : {};
      const elsewhere = await backend(app).send(method, `/t/acme${path}`, options);
      expect([route, elsewhere.status, elsewhere.code]).toEqual([route, 403, "application_mismatch"]);
      const beside = await backend(app).with({ "x-application-id": acme.applicationId }).send(method, path, options);
      expect([route, beside.status, beside.code]).toEqual([route, 403, "application_mismatch"]);
    }
  });
});
