import { expect } from "bun:test";
import { DAY } from "../../../src/core/clock.ts";
import { toPrefixedId } from "../../../src/core/ids.ts";
import { sha256Base64url } from "../../../src/crypto/secrets.ts";
import type { WireManagedSession } from "../../../src/features/manage-sessions/wire.ts";
import type { TestApp } from "../../support/app.ts";
import { backend, fields } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";

const NOBODY = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
async function list(app: TestApp, query = "", secretKey = app.secretKey) {
  const answer = await backend(app, secretKey).get(`/v1/sessions${query}`);
  expect(answer.status).toBe(200);
  return fields<{ data: WireManagedSession[]; next_cursor: string | null }>(answer);
}
const ids = (page: { data: WireManagedSession[] }) => page.data.map((session) => session.id).sort();

scenarios("/v1/sessions", (t) => {
  t.test("lists the live sessions of the key's own application, all or one user's, page by page", async (app) => {
    const ada = await app.user();
    const grace = await app.user();
    const made: string[] = [];
    for (const user of [ada, grace, ada]) {
      app.clock.advance(1);
      made.push((await app.signIn(user)).session.sid);
    }
    const [first, second, third] = made;
    await app.signIn(ada, app.defaultApplicationId);
    expect(ids(await list(app))).toEqual(made);
    expect(ids(await list(app, `?user_id=${toPrefixedId("user", ada.id)}`))).toEqual([first ?? "", third ?? ""]);
    expect(ids(await list(app, `?user_id=${NOBODY}`))).toEqual([]);
    const page = await list(app, "?limit=2");
    expect([ids(page), page.next_cursor]).toEqual([[first ?? "", second ?? ""], second ?? ""]);
    const last = await list(app, `?limit=2&cursor=${toPrefixedId("session", second ?? "")}`);
    expect([ids(last), last.next_cursor]).toEqual([[third ?? ""], null]);
    expect(page.data[0]).toEqual({
      id: first ?? "",
      application_id: app.applicationId,
      user_id: ada.id,
      aal: "aal1",
      auth_method: "password",
      amr: ["pwd"],
      auth_time: "2026-03-01T12:00:00.000Z",
      user_agent: "test",
      device: null,
      address: "192.0.2.1",
      created_at: "2026-03-01T12:00:00.000Z",
      last_seen_at: "2026-03-01T12:00:00.000Z",
      refreshes: 0,
      expires_at: "2026-08-28T12:00:00.000Z",
      ended_at: null,
      end_reason: null,
    });
    for (const query of ["user_id=x", `user_id=${toPrefixedId("session", ada.id)}`, "cursor=x", "limit=0", "ended=1"]) {
      expect((await backend(app).get(`/v1/sessions?${query}`)).code).toBe("invalid_input");
    }
    app.clock.advance(30 * DAY);
    expect(ids(await list(app))).toEqual([]);
    expect(ids(await list(app, `?user_id=${ada.id}`))).toEqual([]);
  });

  t.test(
    "ends one session: its tokens are refused, and verifiers and the audit log learn of it once (ASVS 7.4.5)",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const other = await app.signIn(user);
      const path = `/v1/sessions/${toPrefixedId("session", tokens.session.sid)}`;
      const ended = fields<WireManagedSession>(await backend(app).delete(path));
      expect(ended).toMatchObject({ ended_at: "2026-03-01T12:00:00.250Z", end_reason: "revoked", user_id: user.id });
      app.clock.advance(1_000);
      expect(fields<WireManagedSession>(await backend(app).delete(path))).toEqual(ended);
      expect(fields<WireManagedSession>(await backend(app).get(path))).toEqual(ended);
      expect((await app.client().bearer(tokens.accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
      const refresh = await app.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken });
      expect(refresh.code).toBe("token_revoked");
      expect((await app.client().bearer(other.accessToken).get("/v1/auth/session")).status).toBe(200);
      const revoked = await app.storage.read.kysely.selectFrom("revocations").select(["kind", "digest"]).execute();
      expect(revoked).toEqual([{ kind: "sid", digest: sha256Base64url(tokens.session.sid) }]);
      const entries = (await app.auditEntries()).filter((entry) => entry.action === "session.ended");
      expect(entries).toMatchObject([
        { actor_kind: "key", target_id: tokens.session.sid, application_id: app.applicationId },
      ]);
    },
  );

  t.test("a session of another application or tenant looks like an unknown one", async (app) => {
    const { tokens } = await app.signedIn();
    const acme = await app.tenant("acme");
    const sibling = await app.newSecretKey({ applicationId: app.defaultApplicationId });
    const before = await app.state();
    for (const stranger of [acme.secretKey, sibling]) {
      for (const id of [tokens.session.sid, toPrefixedId("session", tokens.session.sid), NOBODY]) {
        for (const answer of [
          await backend(app, stranger).get(`/v1/sessions/${id}`),
          await backend(app, stranger).delete(`/v1/sessions/${id}`),
        ]) {
          expect([id, answer.status, answer.code]).toEqual([id, 404, "not_found"]);
        }
      }
      expect(ids(await list(app, `?user_id=${tokens.session.user_id}`, stranger))).toEqual([]);
    }
    expect(await app.state()).toBe(before);
  });

  t.test("each route asks for its own scope, and takes its id from the path", async (app) => {
    const { tokens } = await app.signedIn();
    const path = `/v1/sessions/${tokens.session.sid}`;
    const reader = await app.newSecretKey({ scopes: ["sessions:read", "users:write"] });
    const writer = await app.newSecretKey({ scopes: ["sessions:write", "users:read"] });
    const routes: [string, string, string, string][] = [
      ["GET", "/v1/sessions", writer, "sessions:read"],
      ["GET", path, writer, "sessions:read"],
      ["DELETE", path, reader, "sessions:write"],
    ];
    const before = await app.state();
    for (const [method, route, key, scope] of routes) {
      const refused = await backend(app, key).send(method, route);
      expect([route, refused.status, refused.body.error.details]).toEqual([route, 403, { scope }]);
      expect((await app.client().bearer(tokens.accessToken).send(method, route)).status).toBe(401);
    }
    expect((await backend(app).delete(`${path}?id=${NOBODY}`)).status).toBe(400);
    expect((await backend(app).delete(`/v1/sessions/${toPrefixedId("user", tokens.session.sid)}`)).status).toBe(400);
    expect(await app.state()).toBe(before);
    expect((await backend(app, writer).delete(path)).status).toBe(200);
  });
});
