import { expect } from "bun:test";
import { startApp, type TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";
import { claimsOf } from "../../support/tokens.ts";

const NEXT = "granite-lantern-moth-88";

/** Runs `count` callers at once, some on each node. */
function atOnce<T>(nodes: TestApp[], count: number, run: (app: TestApp, index: number) => Promise<T>): Promise<T[]> {
  const pick = (index: number) => nodes[index % nodes.length] ?? nodes[0];
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const app = pick(index);
      if (!app) throw new Error("no node");
      return run(app, index);
    }),
  );
}

const sessionOf = (app: TestApp, sid: string) =>
  app.storage.read.kysely.selectFrom("sessions").selectAll().where("id", "=", sid).executeTakeFirstOrThrow();

scenarios("races", (t) => {
  t.test(
    "two hundred simultaneous uses of one refresh token on two nodes give one successor and one generation",
    async (app) => {
      const second = await startApp({ beside: app });
      const { tokens } = await app.signedIn();
      const answers = await atOnce([app, second], 200, (node) =>
        node.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken }),
      );
      expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
      expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
      expect(await sessionOf(app, tokens.session.sid)).toMatchObject({ generation: 2, ended_at: null });
      // A replay after the grace period ends the family, on both nodes.
      app.clock.advance(121_000);
      const replays = await atOnce([app, second], 20, (node) =>
        node.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken }),
      );
      expect(new Set(replays.map(({ code }) => code))).toEqual(new Set(["token_revoked"]));
      for (const node of [app, second]) {
        const successor = answers[0]?.body.access_token ?? "";
        expect((await node.client().bearer(successor).get("/v1/auth/session")).code).toBe("token_revoked");
      }
      const told = (await app.audit()).filter((action) => action === "session.ended");
      expect(told).toHaveLength(1);
      await second.close();
    },
  );

  t.test("two simultaneous generations leave one line of the family or end it, in any order", async (app) => {
    for (let round = 0; round < 5; round++) {
      const { tokens } = await app.signedIn();
      const next = (await app.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken })).body
        .refresh_token;
      const answers = await atOnce([app], 40, (node, index) =>
        node.client().post("/v1/auth/refresh", { refresh_token: index % 2 ? next : tokens.refreshToken }),
      );
      const row = await sessionOf(app, tokens.session.sid);
      const generations = answers
        .filter(({ status }) => status === 200)
        .map(({ body }) => Number(claimsOf(body.refresh_token ?? "").gen));
      expect(Math.max(2, ...generations)).toBe(row.generation);
      if (row.ended_at !== null) expect(row.end_reason).toBe("refresh_reuse");
    }
  });

  t.test("no token of the session works after a sign-out that races a refresh (ASVS 7.4.1)", async (app) => {
    for (let round = 0; round < 5; round++) {
      const { tokens } = await app.signedIn();
      const answers = await atOnce([app], 20, (node, index) =>
        index === 10
          ? node.client().bearer(tokens.accessToken).post("/v1/auth/logout")
          : node.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken }),
      );
      for (const { body } of answers) {
        if (!body.access_token) continue;
        expect((await app.client().bearer(body.access_token).get("/v1/auth/session")).code).toBe("token_revoked");
        const again = await app.client().post("/v1/auth/refresh", { refresh_token: body.refresh_token });
        expect(again.code).toBe("token_revoked");
      }
    }
  });

  t.test(
    "no sign-in with the old password survives a password change that it races (ASVS 7.4.3)",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const answers = await atOnce([app], 12, (node, index) =>
        index === 4
          ? node
              .client()
              .bearer(tokens.accessToken)
              .post("/v1/auth/password/change", { current_password: PASSWORD, new_password: NEXT })
          : node.client().post("/v1/auth/login", user.login),
      );
      expect(answers[4]?.status).toBe(200);
      for (const [index, { status, body }] of answers.entries()) {
        if (index === 4 || status !== 200) continue;
        expect((await app.client().bearer(body.access_token).get("/v1/auth/session")).code).toBe("token_revoked");
      }
      expect((await app.client().bearer(tokens.accessToken).get("/v1/auth/session")).status).toBe(200);
      expect((await app.client().post("/v1/auth/login", user.login)).code).toBe("invalid_credentials");
      expect((await app.client().post("/v1/auth/login", { ...user.login, password: NEXT })).status).toBe(200);
    },
    { settings: { limit_account: "100/10m" } },
  );

  t.test("of two simultaneous password changes one wins, the other is refused, and one password works", async (app) => {
    const { user, tokens } = await app.signedIn();
    const news = ["granite-lantern-moth-88", "copper-window-heron-19", "velvet-anchor-thistle-5"];
    const answers = await atOnce([app], 3, (node, index) =>
      node
        .client()
        .bearer(tokens.accessToken)
        .post("/v1/auth/password/change", { current_password: PASSWORD, new_password: news[index] }),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses[0]).toBe(200);
    expect(statuses.slice(1).every((status) => status === 409 || status === 401)).toBeTrue();
    const good: string[] = [];
    for (const password of [PASSWORD, ...news]) {
      if ((await app.client().post("/v1/auth/login", { ...user.login, password })).status === 200) good.push(password);
    }
    expect(good).toHaveLength(1);
    expect(good).not.toContain(PASSWORD);
  });

  t.test(
    "rate limits hold for any number of simultaneous requests on two nodes (ASVS 6.3.1)",
    async (app) => {
      const second = await startApp({ beside: app, settings: { limit_account: "5/10m" } });
      const user = await app.user();
      const wrong = { ...user.login, password: "not-the-right-password" };
      const answers = await atOnce([app, second], 30, (node) => node.client().post("/v1/auth/login", wrong));
      const count = (status: number) => answers.filter((answer) => answer.status === status).length;
      expect([count(401), count(429)]).toEqual([5, 25]);
      await second.close();
    },
    { settings: { limit_account: "5/10m" } },
  );
});
