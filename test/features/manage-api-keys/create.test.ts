import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { WireApiKey, WireNewApiKey } from "../../../src/features/manage-api-keys/wire.ts";
import { SCOPES } from "../../../src/identity/api-keys/scopes.ts";
import type { TestApp } from "../../support/app.ts";
import { backend, fields } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";
import { template } from "../../support/template.ts";

const rows = (app: TestApp) => app.storage.read.kysely.selectFrom("api_keys").selectAll().orderBy("id").execute();

scenarios("POST /v1/api-keys", (t) => {
  t.test("works with the documented request, shows the secret once, and keeps only its SHA-256", async (app) => {
    const client = app.client({ "x-application-id": app.applicationId }).bearer(app.secretKey);
    const made = await client.post("/v1/api-keys", { name: "production-backend", scopes: ["admin"] });
    expect(made.status).toBe(201);
    const first = (await rows(app)).find((row) => row.name === "First key");
    const stored = (await rows(app)).find((row) => row.id === made.body.id);
    expect(made.body as unknown).toEqual({
      id: expect.any(String),
      application_id: app.applicationId,
      kind: "secret",
      name: "production-backend",
      scopes: ["admin"],
      rate_limit: null,
      networks: [],
      created_by: first?.id,
      created_at: "2026-03-01T12:00:00.250Z",
      last_used_at: null,
      rotated_at: null,
      previous_secret_expires_at: null,
      expires_at: null,
      revoked_at: null,
      secret: expect.stringMatching(/^sally_sk_[0-9A-Za-z]{71}$/),
    });
    expect(stored).toMatchObject({ id: made.body.id, sealed_secret: null, previous_digest: null });
    expect(JSON.stringify(await rows(app))).not.toContain(made.body.secret ?? "");
    expect(await app.auditEntries()).toMatchObject([
      {
        action: "api_key.created",
        actor_kind: "key",
        actor_id: first?.id,
        target_kind: "api_key",
        target_id: made.body.id,
        application_id: app.applicationId,
      },
    ]);
    const { secret: _, ...shown } = fields<WireNewApiKey>(made);
    const again = await client.get(`/v1/api-keys/${toPrefixedId("apiKey", made.body.id)}`);
    expect(fields<WireApiKey>(again)).toEqual(shown);
    expect((await backend(app, made.body.secret ?? "").get("/v1/users")).status).toBe(200);
  });

  t.test("seals a signing key to its row and shows it once; never shows a public key's secret", async (app) => {
    const client = backend(app);
    const signing = await client.post("/v1/api-keys", { name: "signer", kind: "signing" });
    const open = await client.post("/v1/api-keys", { name: "in the app", kind: "public" });
    expect([signing.status, open.status]).toEqual([201, 201]);
    expect(signing.body.secret).toMatch(/^sally_hs_[0-9A-Za-z]{71}$/);
    expect(open.body.secret).toBeNull();
    const { masterKeys } = await template();
    const stored = new Map((await rows(app)).map((row) => [row.id, row]));
    const sealed = stored.get(signing.body.id)?.sealed_secret ?? new Uint8Array();
    const opened = masterKeys.open(sealed, { keyId: signing.body.id, purpose: "api-key:signing" });
    expect(Buffer.from(opened).toString()).toBe(signing.body.secret ?? "");
    expect(() => masterKeys.open(sealed, { keyId: open.body.id, purpose: "api-key:signing" })).toThrow();
    const hidden = stored.get(open.body.id)?.sealed_secret ?? new Uint8Array();
    expect(masterKeys.open(hidden, { keyId: open.body.id, purpose: "api-key:public" })).toHaveLength(32);
    expect(stored.get(signing.body.id)?.secret_digest).toBeNull();
    // Neither is a credential of this API, however it is sent.
    for (const headers of [
      { authorization: `Bearer ${signing.body.secret}` },
      { authorization: `Basic ${Buffer.from(`api_key:${open.body.id}`).toString("base64")}` },
    ]) {
      expect((await app.client(headers).get("/v1/users")).status).toBe(401);
    }
  });

  t.test("refuses bad input by its field, and creates nothing", async (app) => {
    const before = await app.state();
    const bodies: [Record<string, unknown>, string][] = [
      [{ scopes: ["admin"] }, "name"],
      [{ name: " ", scopes: ["admin"] }, "name"],
      [{ name: "x".repeat(101), scopes: ["admin"] }, "name"],
      [{ name: "nul\u0000", scopes: ["admin"] }, "name"],
      [{ name: "x" }, "scopes"],
      [{ name: "x", scopes: [] }, "scopes"],
      [{ name: "x", scopes: ["root"] }, "scopes.0"],
      [{ name: "x", scopes: "admin" }, "scopes"],
      [{ name: "x", kind: "signing", scopes: ["admin"] }, "scopes"],
      [{ name: "x", kind: "public", networks: ["10.0.0.0/8"] }, "networks"],
      [{ name: "x", kind: "public", rate_limit: "1/1s" }, "rate_limit"],
      [{ name: "x", kind: "other" }, "kind"],
      [{ name: "x", scopes: ["admin"], rate_limit: "many" }, "rate_limit"],
      [{ name: "x", scopes: ["admin"], networks: ["example.com"] }, "networks.0"],
      [{ name: "x", scopes: ["admin"], networks: ["10.0.0.0/33"] }, "networks.0"],
      [{ name: "x", scopes: ["admin"], networks: ["10.0.0.0/"] }, "networks.0"],
      [{ name: "x", scopes: ["admin"], networks: ["10.0.0.0/8/8"] }, "networks.0"],
      [{ name: "x", scopes: ["admin"], expires_at: "2026-03-01T12:00:00Z" }, "expires_at"],
      [{ name: "x", scopes: ["admin"], expires_at: "tomorrow" }, "expires_at"],
      [{ name: "x", scopes: ["admin"], expires_at: 1_900_000_000 }, "expires_at"],
      // Mass assignment: a body cannot set a member that the appliance decides (ASVS 8.2.3).
      [{ name: "x", scopes: ["admin"], id: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f" }, "id"],
      [{ name: "x", scopes: ["admin"], application_id: app.defaultApplicationId }, "application_id"],
      [{ name: "x", scopes: ["admin"], tenant_id: app.tenantId }, "tenant_id"],
      [{ name: "x", scopes: ["admin"], secret: "sally_sk_" }, "secret"],
      [{ name: "x", scopes: ["admin"], created_by: null }, "created_by"],
    ];
    for (const [body, path] of bodies) {
      const refused = await backend(app).post("/v1/api-keys", body);
      expect([JSON.stringify(body), refused.status, refused.code]).toEqual([
        JSON.stringify(body),
        400,
        "invalid_input",
      ]);
      expect(refused.body.error.details).toMatchObject([{ path }]);
    }
    expect(await app.state()).toBe(before);
    expect(await app.audit()).toEqual([]);
  });

  t.test("a key creates no wider key: each scope needs the same scope, and admin needs admin (15)", async (app) => {
    const held = ["api-keys:write", "users:read"] as const;
    const maker = await app.newSecretKey({ scopes: [...held] });
    const before = await app.state();
    for (const scope of SCOPES) {
      const isLockedLive = held.some((own) => own === scope);
      if (isLockedLive) continue;
      const refused = await backend(app, maker).post("/v1/api-keys", { name: "wider", scopes: ["users:read", scope] });
      expect([scope, refused.status, refused.code]).toEqual([scope, 403, "insufficient_scope"]);
      expect(refused.body.error.details).toEqual({ missing: [scope] });
    }
    // A signing key can read and change any user.
    const signing = await backend(app, maker).post("/v1/api-keys", { name: "signer", kind: "signing" });
    expect([signing.status, signing.code]).toEqual([403, "insufficient_scope"]);
    expect(await app.state()).toBe(before);
    const narrow = await backend(app, maker).post("/v1/api-keys", { name: "narrow", scopes: ["users:read"] });
    expect(narrow.status).toBe(201);
    expect((await backend(app, narrow.body.secret ?? "").get("/v1/users")).status).toBe(200);
    const further = await backend(app, narrow.body.secret ?? "").post("/v1/api-keys", { name: "x", scopes: ["admin"] });
    expect([further.status, further.code]).toEqual([403, "insufficient_scope"]);
  });

  t.test(
    "a key creates none with a longer life, other networks or a higher rate; missing bounds are the maker's",
    async (app) => {
      const bound = await backend(app).post("/v1/api-keys", {
        name: "bound",
        scopes: ["admin"],
        expires_at: "2026-03-02T00:00:00+01:00",
        rate_limit: "50/1m",
        networks: ["127.0.0.0/8", "::1"],
      });
      const maker = backend(app, bound.body.secret ?? "");
      const wider: Record<string, unknown>[] = [
        { expires_at: "2026-03-01T23:00:00.001Z" },
        { networks: ["0.0.0.0/0"] },
        { networks: ["127.0.0.0/7"] },
        { networks: ["127.0.0.1", "192.0.2.1"] },
        { rate_limit: "51/1m" },
        { rate_limit: "50/59s" },
      ];
      for (const extra of wider) {
        const refused = await maker.post("/v1/api-keys", { name: "wider", scopes: ["users:read"], ...extra });
        expect([JSON.stringify(extra), refused.status, refused.code]).toEqual([
          JSON.stringify(extra),
          403,
          "forbidden",
        ]);
      }
      for (const kind of ["signing", "public"]) {
        expect((await maker.post("/v1/api-keys", { name: "unbound", kind })).code).toBe("forbidden");
      }
      const plain = fields<WireApiKey>(await maker.post("/v1/api-keys", { name: "plain", scopes: ["users:read"] }));
      expect(plain).toMatchObject({
        expires_at: "2026-03-01T23:00:00.000Z",
        rate_limit: "50/1m",
        networks: ["127.0.0.0/8", "::1"],
      });
      const narrower = { networks: ["127.0.0.1"], rate_limit: "5/1m", expires_at: "2026-03-01T13:00:00Z" };
      const made = await maker.post("/v1/api-keys", { name: "narrower", scopes: ["users:read"], ...narrower });
      expect([made.status, fields<WireApiKey>(made).networks]).toEqual([201, ["127.0.0.1"]]);
    },
  );
});
