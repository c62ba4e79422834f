import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { APP_ORIGIN } from "../../support/template.ts";
import { claimsOf } from "../../support/tokens.ts";

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

const refresh = (app: TestApp, token: string | null) => app.client().post("/v1/auth/refresh", { refresh_token: token });
const sessionOf = (app: TestApp) =>
  app.storage.read.kysely.selectFrom("sessions").selectAll().executeTakeFirstOrThrow();

scenarios("refresh (RFC 9700 section 4.14, ASVS 10.4.5)", (t) => {
  t.test("exchanges the token for its successor: one generation, one audit entry, the same session", async (app) => {
    const { tokens } = await app.signedIn();
    app.clock.advance(60 * SECOND);
    const answer = await refresh(app, tokens.refreshToken);
    expect(answer.status).toBe(200);
    expect(answer.body.refresh_token).not.toBe(tokens.refreshToken);
    const before = claimsOf(tokens.refreshToken);
    expect(claimsOf(answer.body.refresh_token ?? "")).toEqual({
      typ: "refresh",
      sid: before.sid,
      gen: 2,
      iat: Number(before.iat) + 60,
      exp: Number(before.exp) + 60,
    });
    expect(await sessionOf(app)).toMatchObject({ generation: 2, ended_at: null });
    expect(await app.audit()).toEqual(["session.created"]);
  });

  t.test("the session counts its refreshes, and the audit log has one entry for all of them", async (app) => {
    const { tokens } = await app.signedIn();
    let token: string | null = tokens.refreshToken;
    for (let i = 0; i < 5; i++) token = (await refresh(app, token)).body.refresh_token;
    const last = await refresh(app, token);
    // A repeat gets the same successor, and does not count.
    const repeated = await refresh(app, token);
    expect(repeated.body.refresh_token).toBe(last.body.refresh_token);
    const shown = await app.client().bearer(app.secretKey).get(`/v1/sessions/${tokens.session.sid}`);
    expect(shown.body as unknown).toMatchObject({ refreshes: 6 });
    await app.client().bearer(repeated.body.access_token).post("/v1/auth/logout");
    const entries = (await app.auditEntries()).filter(({ target_id }) => target_id === tokens.session.sid);
    expect(entries.map(({ action, details }) => [action, JSON.parse(details)])).toEqual([
      ["session.created", { method: "password", aal: "aal1" }],
      ["session.ended", { reason: "logout", refreshes: 6 }],
    ]);
  });

  t.test("the database holds no refresh token, not even its digest", async (app) => {
    const { tokens } = await app.signedIn();
    const successor = (await refresh(app, tokens.refreshToken)).body.refresh_token ?? "";
    const state = await app.state();
    for (const token of [tokens.refreshToken, successor]) {
      expect(state).not.toContain(token.split(".")[2] ?? "?");
      expect(state).not.toContain(new Bun.CryptoHasher("sha256").update(token).digest("base64url"));
    }
  });

  t.test(
    "for two minutes a token returns the same successor again, with the same expiry, for a lost answer",
    async (app) => {
      const { tokens } = await app.signedIn();
      app.clock.advance(30 * SECOND);
      const first = await refresh(app, tokens.refreshToken);
      app.clock.advance(115 * SECOND);
      const again = await refresh(app, tokens.refreshToken);
      expect(again.body.refresh_token).toBe(first.body.refresh_token);
      expect(again.body.access_token).not.toBe(first.body.access_token);
      const left = (answer: typeof first) => Number(answer.cookies[1]?.attributes["max-age"]);
      expect(left(first) - left(again)).toBe(115);
      expect(await sessionOf(app)).toMatchObject({ generation: 2 });
      expect(await app.audit()).toEqual(["session.created"]);
    },
  );

  t.test("a copy that comes after the grace period ends the family, and the audit log records it", async (app) => {
    const { user, tokens } = await app.signedIn();
    const other = await app.signIn(user);
    const successor = await refresh(app, tokens.refreshToken);
    app.clock.advance(121 * SECOND);
    const reused = await refresh(app, tokens.refreshToken);
    expect([reused.status, reused.code]).toEqual([401, "token_revoked"]);
    expect(reused.cookies).toEqual([]);
    expect((await refresh(app, successor.body.refresh_token)).code).toBe("token_revoked");
    const old = app.client().bearer(successor.body.access_token);
    expect((await old.get("/v1/auth/session")).code).toBe("token_revoked");
    expect((await app.audit()).slice(2)).toEqual(["refresh_token.reused", "session.ended"]);
    const ended = await app.storage.read.kysely
      .selectFrom("sessions")
      .selectAll()
      .where("ended_at", "is not", null)
      .execute();
    expect(ended).toMatchObject([{ id: tokens.session.sid, end_reason: "refresh_reuse" }]);
    expect((await refresh(app, other.refreshToken)).status).toBe(200);
  });

  t.test("the use of the successor ends the grace period", async (app) => {
    const { tokens } = await app.signedIn();
    const second = await refresh(app, tokens.refreshToken);
    app.clock.advance(2 * SECOND);
    const third = await refresh(app, second.body.refresh_token);
    expect(third.status).toBe(200);
    app.clock.advance(1 * SECOND);
    expect((await refresh(app, tokens.refreshToken)).code).toBe("token_revoked");
    expect((await refresh(app, third.body.refresh_token)).code).toBe("token_revoked");
  });

  t.test(
    "a generation that the row has not reached (a restored backup) gets no tokens and ends the family",
    async (app) => {
      const { tokens } = await app.signedIn();
      const future = await app.identity.sessions.issue({ ...tokens.session, generation: 7 }, tokens.application);
      expect((await refresh(app, future.refreshToken)).code).toBe("token_revoked");
      expect(await sessionOf(app)).toMatchObject({ end_reason: "refresh_reuse", generation: 1 });
    },
  );

  t.test("a session ends after 30 idle days, and each refresh restarts them (ASVS 7.3.1)", async (app) => {
    const { tokens } = await app.signedIn();
    app.clock.advance(30 * DAY - SECOND);
    const second = await refresh(app, tokens.refreshToken);
    expect(second.status).toBe(200);
    app.clock.advance(30 * DAY - 2 * SECOND);
    const third = await refresh(app, second.body.refresh_token);
    expect(third.status).toBe(200);
    app.clock.advance(30 * DAY);
    const late = await refresh(app, third.body.refresh_token);
    expect([late.status, late.code]).toEqual([401, "token_expired"]);
  });

  t.test("a session ends after 180 days, even with refreshes (ASVS 7.3.2, 10.4.8)", async (app) => {
    const { tokens } = await app.signedIn();
    let token: string | null = tokens.refreshToken;
    for (let day = 20; day < 180; day += 20) {
      app.clock.advance(20 * DAY);
      const answer = await refresh(app, token);
      expect([day, answer.status]).toEqual([day, 200]);
      token = answer.body.refresh_token;
    }
    expect(claimsOf(token ?? "").exp).toBe(1_772_366_400 + 180 * 86_400);
    app.clock.advance(20 * DAY);
    expect((await refresh(app, token)).code).toBe("token_expired");
  });

  t.test("an access token does not outlive its session, because the server always checks", async (app) => {
    const brief = await app.application({ refresh_absolute_ttl: 60, refresh_idle_ttl: 60 });
    const { tokens } = await app.signedIn(brief);
    app.clock.advance(61 * SECOND);
    expect((await app.client().bearer(tokens.accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
  });

  t.test("a clock that is set back revives no used token", async (app) => {
    const { tokens } = await app.signedIn();
    app.clock.advance(DAY);
    const second = await refresh(app, tokens.refreshToken);
    app.clock.advance(-DAY);
    expect((await refresh(app, tokens.refreshToken)).code).toBe("token_revoked");
    expect((await refresh(app, second.body.refresh_token)).code).toBe("token_revoked");
  });

  t.test(
    "uses the body first, then the cookie of the named application, and answers 401 without either",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const other = await app.signIn(user, app.defaultApplicationId);
      const cookie = `sallyport_rt=${other.refreshToken}; sallyport_rt_${app.applicationId.slice(-12)}=${tokens.refreshToken}`;
      const azp = async (headers: Record<string, string>, body?: object) => {
        const answer = await app.client({ cookie, ...headers }).post("/v1/auth/refresh", body);
        return answer.status === 200 ? claimsOf(answer.body.access_token).azp : answer.code;
      };
      expect(await azp({})).toBe(app.defaultApplicationId);
      expect(await azp({ "x-application-id": app.applicationId, origin: APP_ORIGIN })).toBe(app.applicationId);
      expect(await azp({}, { refresh_token: tokens.refreshToken })).toBe(app.applicationId);
      expect(await azp({ cookie: "a=b" })).toBe("authentication_required");
      expect(await azp({ cookie: "a=b" }, { refresh_token: null })).toBe("authentication_required");
    },
  );

  t.test("checks user, application and tenant again each time", async (app) => {
    for (const table of ["users", "applications", "tenants"] as const) {
      const acme = await app.tenant(`acme-${table}`);
      const user = await app.user(`${table}@example.com`, acme.id);
      const tokens = await app.signIn(user, acme.applicationId);
      await app.disable(table, { users: user.id, applications: acme.applicationId, tenants: acme.id }[table]);
      expect([table, (await refresh(app, tokens.refreshToken)).code]).toEqual([table, "token_revoked"]);
    }
  });
});
