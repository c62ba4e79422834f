import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import type { Client } from "../../support/client.ts";
import { scenarios } from "../../support/scenarios.ts";
import { newKey, sign } from "../../support/signed.ts";

const rename = (client: Client, name: string) => client.patch("/v1/me", { display_name: name });

const nameOf = async (app: TestApp, id: string) =>
  (await app.storage.read.kysely.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirstOrThrow())
    .display_name;

scenarios("the budget of a session for writes", (t) => {
  t.test(
    "answers 429 with Retry-After once it is used up, changes nothing more, and refills evenly",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      for (const name of ["one", "two", "three"]) expect((await rename(client, name)).status).toBe(200);
      const before = await app.state();
      const refused = await rename(client, "four");
      expect([refused.status, refused.code, refused.headers.get("retry-after")]).toEqual([429, "rate_limited", "60"]);
      expect((await client.mutate("me.update", { display_name: "five" })).status).toBe(429);
      expect(await app.state()).toBe(before);
      expect((await client.get("/v1/me")).status).toBe(200);
      app.clock.advance(60_000);
      expect((await rename(client, "six")).status).toBe(200);
      expect((await rename(client, "seven")).status).toBe(429);
      expect(await nameOf(app, user.id)).toBe("six");
    },
    { settings: { limit_session_writes: "3/3m" } },
  );

  t.test(
    "lets a flood of requests at once write no more, also in tRPC's batches",
    async (app) => {
      const { tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      const calls = Array.from({ length: 20 }, (_, index) => index);
      const path = `/trpc/${calls.map(() => "me.update").join(",")}?batch=1`;
      const batch = Object.fromEntries(calls.map((index) => [index, { display_name: `batch ${index}` }]));
      const answers = await Promise.all([
        client.post(path, batch),
        ...calls.map((index) => rename(client, `name ${index}`)),
      ]);
      const changes = (await app.audit()).filter((action) => action === "user.changed").length;
      expect(changes).toBe(10);
      expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
    },
    { settings: { limit_session_writes: "10/1h" } },
  );

  t.test(
    "belongs to one session: the owner's other session and the sign-out stay free",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const thief = app.client().bearer(tokens.accessToken);
      const owner = app.client().bearer((await app.signIn(user)).accessToken);
      for (const name of ["a", "b", "c"]) await rename(thief, name);
      expect((await rename(thief, "d")).status).toBe(429);
      expect((await rename(owner, "mine")).status).toBe(200);
      expect((await thief.post("/v1/auth/logout", { all: true })).status).toBe(200);
      expect((await owner.get("/v1/me")).code).toBe("token_revoked");
    },
    { settings: { limit_session_writes: "3/3m" } },
  );

  t.test(
    "counts a refresh as one, and an export as ten",
    async (app) => {
      const { tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      const refreshed = await app.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken });
      expect(refreshed.status).toBe(200);
      expect((await client.get("/v1/me/export")).status).toBe(200);
      const refused = await client.get("/v1/me/export");
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
      for (const name of ["a", "b", "c", "d", "e", "f", "g", "h", "i"]) {
        expect((await rename(client, name)).status).toBe(200);
      }
      const next = { refresh_token: refreshed.body.refresh_token };
      expect((await app.client().post("/v1/auth/refresh", next)).code).toBe("rate_limited");
      // The refused refresh has spent nothing.
      app.clock.advance(60_000);
      expect((await app.client().post("/v1/auth/refresh", next)).status).toBe(200);
    },
    { settings: { limit_session_writes: "20/20m" } },
  );

  t.test(
    "of a token that a customer signed belongs to its user",
    async (app) => {
      const key = await newKey(app, "signing");
      const [one, again] = [app.client().bearer(await sign(app, key)), app.client().bearer(await sign(app, key))];
      expect((await rename(one, "a")).status).toBe(200);
      expect((await rename(again, "b")).status).toBe(200);
      expect((await rename(one, "c")).status).toBe(429);
    },
    { settings: { limit_session_writes: "2/1h" } },
  );
});
