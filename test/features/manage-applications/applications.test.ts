import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { WireManagedApplication } from "../../../src/features/manage-applications/wire.ts";
import { backend, fields } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";

scenarios("/v1/applications", (t) => {
  t.test("a key reads its own application, and no other of its tenant or of another", async (app) => {
    const acme = await app.tenant("acme");
    const listed = await backend(app).get("/v1/applications");
    expect(fields<{ data: WireManagedApplication[] }>(listed)).toEqual({
      data: [
        {
          id: app.applicationId,
          name: "My application",
          type: "web",
          is_default: false,
          issuer: app.publicUrl,
          algorithm: "EdDSA",
          default_audience: `${app.publicUrl}/api/${app.applicationId}`,
          audiences: [],
          origins: ["https://app.example.com"],
          sign_up: "immediate",
          sign_in_methods: ["password", "passkey"],
          mfa: "optional",
          mfa_grace: 0,
          mfa_remember: 0,
          passkey_rp_id: null,
          home_url: null,
          access_token_ttl: 900,
          refresh_idle_ttl: 2_592_000,
          refresh_absolute_ttl: 15_552_000,
          refresh_cookie_path: "/v1/auth",
          // The template was created a millisecond before the tests begin.
          created_at: "2026-03-01T12:00:00.249Z",
          updated_at: "2026-03-01T12:00:00.249Z",
        },
      ],
      next_cursor: null,
    } as never);
    for (const id of [app.applicationId, toPrefixedId("application", app.applicationId)]) {
      const read = await backend(app).get(`/v1/applications/${id}`);
      expect(fields<WireManagedApplication>(read)).toEqual(listed.body.data[0] as never);
    }
    for (const id of [app.defaultApplicationId, acme.applicationId, "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f"]) {
      const refused = await backend(app).get(`/v1/applications/${id}`);
      expect([id, refused.status, refused.code]).toEqual([id, 404, "not_found"]);
    }
    expect((await backend(app).get(`/v1/applications?cursor=${app.applicationId}`)).body.data).toEqual([]);
    expect((await backend(app).get("/v1/applications?cursor=x")).code).toBe("invalid_input");
    expect((await backend(app).get(`/v1/applications/${toPrefixedId("user", app.applicationId)}`)).status).toBe(400);
  });

  t.test("needs applications:read", async (app) => {
    const key = await app.newSecretKey({ scopes: ["users:read", "resources:read"] });
    for (const path of ["/v1/applications", `/v1/applications/${app.applicationId}`]) {
      expect((await backend(app, key).get(path)).body.error.details).toEqual({ scope: "applications:read" });
      expect((await app.client().get(path)).status).toBe(401);
    }
    const reader = await app.newSecretKey({ scopes: ["applications:read"] });
    expect((await backend(app, reader).get("/v1/applications")).status).toBe(200);
  });
});
