import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";

const endedIn = async (app: TestApp) =>
  (
    await app.storage.read.kysely
      .selectFrom("sessions")
      .selectAll()
      .where("ended_at", "is not", null)
      .orderBy("id")
      .execute()
  ).map(({ id, end_reason }) => [id, end_reason]);

scenarios("a person's own sessions (ASVS 7.5.2)", (t) => {
  t.test("are listed in pages, oldest first, with their origin and a mark on the caller's", async (app) => {
    const { user, tokens } = await app.signedIn();
    for (let i = 0; i < 4; i++) await app.signIn(user);
    const client = app.client().bearer(tokens.accessToken);
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await client.get(`/v1/auth/sessions?limit=2${cursor === null ? "" : `&cursor=${cursor}`}`);
      expect(body.data.length).toBeLessThanOrEqual(2);
      for (const session of body.data) {
        ids.push(session.id);
        expect(session.current).toBe(session.id === tokens.session.sid);
      }
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect(ids).toHaveLength(5);
    expect(ids).toEqual([...ids].sort());
    const first = toPrefixedId("session", ids[0] ?? "");
    expect((await client.get(`/v1/auth/sessions?cursor=${first}`)).body.data).toHaveLength(4);
  });

  t.test("do not include sessions of other users or applications, or ended or expired ones", async (app) => {
    const { user, tokens } = await app.signedIn();
    await app.signedIn();
    await app.signIn(user, app.defaultApplicationId);
    const ended = await app.signIn(user);
    await app.client().bearer(ended.accessToken).post("/v1/auth/logout");
    const { body } = await app.client().bearer(tokens.accessToken).get("/v1/auth/sessions");
    expect(body.data.map(({ id }) => id)).toEqual([tokens.session.sid]);
  });

  t.test("are ended by either form of the id, once; the tokens are refused from then on (ASVS 7.4.1)", async (app) => {
    const { user, tokens } = await app.signedIn();
    const [one, two] = [await app.signIn(user), await app.signIn(user)];
    const client = app.client().bearer(tokens.accessToken);
    expect((await client.delete(`/v1/auth/sessions/${one.session.sid}`)).body.status).toBe("success");
    expect(
      (await client.delete(`/v1/auth/sessions/${toPrefixedId("session", two.session.sid).toLowerCase()}`)).status,
    ).toBe(200);
    expect((await client.delete(`/v1/auth/sessions/${one.session.sid}`)).status).toBe(200);
    for (const { accessToken, refreshToken } of [one, two]) {
      expect((await app.client().bearer(accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
      expect((await app.client().post("/v1/auth/refresh", { refresh_token: refreshToken })).code).toBe("token_revoked");
    }
    expect(await endedIn(app)).toEqual([
      [one.session.sid, "revoked"],
      [two.session.sid, "revoked"],
    ]);
    expect((await app.audit()).filter((action) => action === "session.ended")).toHaveLength(2);
    expect((await client.get("/v1/auth/session")).status).toBe(200);
  });

  t.test("the caller's own clears its cookies when it is ended", async (app) => {
    const { tokens } = await app.signedIn();
    const answer = await app.client().bearer(tokens.accessToken).delete(`/v1/auth/sessions/${tokens.session.sid}`);
    expect(answer.cookies.map(({ attributes }) => attributes["max-age"])).toEqual(["0", "0"]);
    const { user, tokens: mine } = await app.signedIn();
    const other = await app.signIn(user);
    const quiet = await app.client().bearer(mine.accessToken).delete(`/v1/auth/sessions/${other.session.sid}`);
    expect(quiet.cookies).toEqual([]);
  });

  t.test(
    "all others are ended together, in every application; this one and those of other people stay (ASVS 7.4.3)",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const others = [await app.signIn(user), await app.signIn(user), await app.signIn(user, app.defaultApplicationId)];
      const { tokens: stranger } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      expect((await client.delete("/v1/auth/sessions")).body).toEqual({ status: "success", ended: 3 } as never);
      expect((await client.delete("/v1/auth/sessions")).body.ended).toBe(0);
      expect(await endedIn(app)).toEqual(others.map(({ session }) => [session.sid, "revoked"]));
      for (const { accessToken } of [tokens, stranger]) {
        expect((await app.client().bearer(accessToken).get("/v1/auth/session")).status).toBe(200);
      }
    },
  );

  t.test(
    "ids of other kinds, people, applications and tenants are 400 or 404, and end nothing (ASVS 8.2.2, 8.4.1)",
    async (app) => {
      const acme = await app.tenant("acme");
      const { user, tokens } = await app.signedIn();
      const { tokens: stranger } = await app.signedIn();
      const elsewhere = await app.signIn(user, app.defaultApplicationId);
      const foreign = await app.signIn(await app.user("eve@example.com", acme.id), acme.applicationId);
      const client = app.client().bearer(tokens.accessToken);
      const before = await app.state();
      for (const { session } of [stranger, elsewhere, foreign]) {
        expect((await client.delete(`/v1/auth/sessions/${session.sid}`)).status).toBe(404);
        expect((await client.mutate("auth.sessions.revoke", { id: session.sid })).status).toBe(404);
      }
      const { sid } = tokens.session;
      for (const id of [
        toPrefixedId("user", sid),
        toPrefixedId("browserSession", sid),
        `${sid}x`,
        "1",
        "me",
        "*",
        "null",
        "%27",
        "..%2f",
      ]) {
        const answer = await client.delete(`/v1/auth/sessions/${id}`);
        expect([id, answer.status, answer.code]).toEqual([id, 400, "invalid_input"]);
      }
      expect(await app.state()).toBe(before);
    },
  );
});
