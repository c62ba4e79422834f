import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import { sha256Base64url } from "../../../src/crypto/secrets.ts";
import { backend } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";

scenarios("DELETE /v1/users/{id}", (t) => {
  t.test("leaves a tombstone without personal data, credentials and sessions, and informs verifiers", async (app) => {
    const { user, tokens } = await app.signedIn();
    await app.signIn(user, app.defaultApplicationId);
    const path = `/v1/users/${toPrefixedId("user", user.id)}`;
    const personal = {
      display_name: "Ada Lovelace",
      external_id: "42",
      metadata: { a: "mark-1" },
      private_metadata: { b: "mark-2" },
    };
    expect((await backend(app).patch(path, personal)).status).toBe(200);
    const flow = await app.storage.write((tx) =>
      app.identity.flows.start(tx, {
        tenantId: app.tenantId,
        applicationId: app.applicationId,
        userId: user.id,
        kind: "test",
        step: "begun",
        state: { address: user.email },
        lifetime: 60_000,
      }),
    );
    app.clock.advance(1_000);
    const deleted = await backend(app).delete(path);
    expect([deleted.status, deleted.body.status]).toEqual([200, "success"]);
    const state = await app.state();
    for (const trace of [user.email, "Ada", "ada lovelace", "mark-1", "mark-2", "192.0.2.1", flow]) {
      expect([trace, state.includes(trace)]).toEqual([trace, false]);
    }
    const { kysely } = app.storage.read;
    expect(await kysely.selectFrom("users").selectAll().execute()).toMatchObject([
      { id: user.id, external_id: "42", display_name: null, deleted_at: app.clock.now() },
    ]);
    expect(await kysely.selectFrom("password_credentials").selectAll().execute()).toEqual([]);
    expect(await kysely.selectFrom("sessions").selectAll().execute()).toEqual([]);
    const revoked = await kysely.selectFrom("revocations").select(["kind", "digest"]).execute();
    expect(revoked.map((row) => row.kind).sort()).toEqual(["sid", "sid", "sub"]);
    expect(revoked).toContainEqual({ kind: "sub", digest: sha256Base64url(user.id) });
    expect((await app.audit()).slice(-3)).toEqual(["session.ended", "session.ended", "user.deleted"]);
    // No old credential works.
    expect((await app.client().bearer(tokens.accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
    const refresh = await app.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken });
    expect(refresh.code).toBe("token_revoked");
    expect((await app.client().post("/v1/auth/login", user.login)).code).toBe("invalid_credentials");
  });

  t.test("the external id stays taken, the address is free, and the user looks unknown", async (app) => {
    const made = await backend(app).post("/v1/users", { email: "ada@example.com", external_id: "42" });
    const path = `/v1/users/${made.body.id}`;
    await backend(app).delete(path);
    const before = await app.state();
    expect((await backend(app).get(path)).code).toBe("not_found");
    expect((await backend(app).patch(path, { display_name: "Back" })).code).toBe("not_found");
    expect((await backend(app).delete(path)).code).toBe("not_found");
    expect((await backend(app).get("/v1/users?external_id=42")).body.data).toEqual([]);
    const again = await backend(app).post("/v1/users", { external_id: "42" });
    expect([again.status, again.body.error.details]).toEqual([409, [{ path: "external_id", reason: "is taken" }]]);
    expect(await app.state()).toBe(before);
    const free = await backend(app).post("/v1/users", { email: "ada@example.com" });
    expect([free.status, free.body.id === made.body.id]).toEqual([201, false]);
  });

  t.test("each session's revocation outlasts the tokens of its own application, whatever ends it", async (app) => {
    const slow = await app.application({ access_token_ttl: 86_400 });
    const { user } = await app.signedIn();
    await app.signIn(user, slow);
    await backend(app).delete(`/v1/users/${user.id}`);
    const rows = await app.storage.read.kysely.selectFrom("revocations").select(["kind", "expires_at"]).execute();
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row.expires_at).toBeGreaterThanOrEqual(app.clock.now() + 86_400_000);
  });

  t.test("twenty requests at once delete once", async (app) => {
    const { user } = await app.signedIn();
    const answers = await Promise.all(Array.from({ length: 20 }, () => backend(app).delete(`/v1/users/${user.id}`)));
    const statuses = answers.map((answer) => answer.status).sort();
    expect(statuses).toEqual([200, ...Array<number>(19).fill(404)]);
    expect((await app.audit()).filter((action) => action === "user.deleted")).toHaveLength(1);
  });
});

scenarios("whose users", (t) => {
  t.test("another tenant's users look unknown; another application of the tenant sees the same users", async (app) => {
    const acme = await app.tenant("acme");
    const sibling = await app.newSecretKey({ applicationId: app.defaultApplicationId });
    const { user } = await app.signedIn();
    const before = await app.state();
    for (const id of [user.id, toPrefixedId("user", user.id), "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f"]) {
      const stranger = backend(app, acme.secretKey);
      const answers = [
        await stranger.get(`/v1/users/${id}`),
        await stranger.patch(`/v1/users/${id}`, { display_name: "Eve" }),
        await stranger.delete(`/v1/users/${id}`),
      ];
      for (const answer of answers) expect([id, answer.status, answer.code]).toEqual([id, 404, "not_found"]);
    }
    expect(await app.state()).toBe(before);
    expect((await backend(app, sibling).get(`/v1/users/${user.id}`)).status).toBe(200);
  });

  t.test("each route asks for its own scope; ids come from the path", async (app) => {
    const { user, tokens } = await app.signedIn();
    const other = await app.user();
    const reader = await app.newSecretKey({ scopes: ["users:read", "sessions:write", "api-keys:write"] });
    const writer = await app.newSecretKey({ scopes: ["users:write", "sessions:read"] });
    const routes: [string, string, unknown, string, string][] = [
      ["POST", "/v1/users", {}, reader, "users:write"],
      ["GET", "/v1/users", undefined, writer, "users:read"],
      ["GET", `/v1/users/${user.id}`, undefined, writer, "users:read"],
      ["PATCH", `/v1/users/${user.id}`, {}, reader, "users:write"],
      ["DELETE", `/v1/users/${user.id}`, undefined, reader, "users:write"],
    ];
    const before = await app.state();
    for (const [method, path, json, key, scope] of routes) {
      const options = json === undefined ? {} : { json };
      const refused = await backend(app, key).send(method, path, options);
      expect([method, path, refused.status, refused.body.error.details]).toEqual([method, path, 403, { scope }]);
      expect((await app.client().send(method, path, options)).status).toBe(401);
      expect((await app.client().bearer(tokens.accessToken).send(method, path, options)).status).toBe(401);
    }
    const mixed = await backend(app).patch(`/v1/users/${user.id}`, { id: other.id, display_name: "Eve" });
    expect([mixed.status, mixed.body.error.details]).toEqual([400, [{ path: "id", reason: "is taken from the path" }]]);
    expect((await backend(app).get(`/v1/users/${toPrefixedId("session", user.id)}`)).code).toBe("invalid_input");
    expect(await app.state()).toBe(before);
  });
});
