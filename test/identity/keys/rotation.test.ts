import { expect } from "bun:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { PUBLISH_LEAD } from "../../../src/identity/keys/keyring.ts";
import { rotateDueKeys } from "../../../src/identity/keys/rotation.ts";
import { startApp, type TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { headerOf } from "../../support/tokens.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

const jwksOf = async (app: TestApp) =>
  (await app.client().get(`/v1/applications/${app.applicationId}/.well-known/jwks.json`)).body;
const kidsOf = async (app: TestApp) => (await jwksOf(app)).keys.map(({ kid }) => kid ?? "");

scenarios("signing keys", (t) => {
  t.test(
    "a successor is published before its first use; the old key stays until its last token has expired",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const [old = ""] = await kidsOf(app);
      expect(headerOf(tokens.accessToken).kid).toBe(old);
      const next = await app.identity.keyring.rotate(app.tenantId, "EdDSA");
      expect(await kidsOf(app)).toEqual([old, next]);
      const signsWith = async () => headerOf((await app.signIn(user)).accessToken).kid;
      expect(await signsWith()).toBe(old);
      app.clock.advance(PUBLISH_LEAD - 1);
      expect(await signsWith()).toBe(old);
      const last = await app.signIn(user);
      app.clock.advance(1);
      expect(await signsWith()).toBe(next);
      expect(await kidsOf(app)).toEqual([old, next]);
      // The server and a library still verify the last token of the old key in its last second.
      app.clock.advance(15 * MINUTE - 1_001);
      expect((await app.client().bearer(last.accessToken).get("/v1/auth/session")).status).toBe(200);
      const keys = createLocalJWKSet((await jwksOf(app)) as never);
      await jwtVerify(last.accessToken, keys, { currentDate: app.clock.date() });
      app.clock.advance(2 * MINUTE);
      expect(await kidsOf(app)).toEqual([next]);
      expect((await app.client().bearer(last.accessToken).get("/v1/auth/session")).status).toBe(401);
      expect(await app.audit()).toContain("signing_key.created");
    },
  );

  t.test(
    "no unexpired token fails during rotations every two seconds, at the server or with the published keys",
    async (app) => {
      const { user } = await app.signedIn();
      const good: string[] = [];
      for (let round = 0; round < 8; round++) {
        await app.identity.keyring.rotate(app.tenantId, "EdDSA", 0);
        good.push((await app.signIn(user)).accessToken);
        app.clock.advance(2_000);
        const keys = createLocalJWKSet((await jwksOf(app)) as never);
        for (const token of good) {
          await jwtVerify(token, keys, { currentDate: app.clock.date() });
          expect((await app.client().bearer(token).get("/v1/auth/session")).status).toBe(200);
        }
      }
      expect(new Set(good.map((token) => headerOf(token).kid)).size).toBe(8);
    },
  );

  t.test("another node signs and verifies with a key that this node created", async (app) => {
    const second = await startApp({ beside: app });
    const { user } = await app.signedIn();
    await second.signIn(user);
    await app.identity.keyring.rotate(app.tenantId, "EdDSA", 0);
    const fresh = await app.signIn(user);
    expect((await second.client().bearer(fresh.accessToken).get("/v1/auth/session")).status).toBe(200);
    await second.close();
  });

  t.test("the job rotates keys that have signed for 90 days, once, and leaves the others", async (app) => {
    const due = () => rotateDueKeys(app.storage, app.clock, app.identity.keyring);
    app.clock.advance(89 * DAY);
    await due();
    expect(await kidsOf(app)).toHaveLength(1);
    app.clock.advance(2 * DAY);
    await due();
    expect(await kidsOf(app)).toHaveLength(2);
    await due();
    expect(await kidsOf(app)).toHaveLength(2);
  });

  t.test("private keys are sealed at rest, and never published", async (app) => {
    const { body } = await app.client().get("/oauth2/jwks");
    for (const key of body.keys) {
      expect(Object.keys(key).sort()).toEqual(
        (key.kty === "RSA" ? "alg e kid kty n use" : "alg crv kid kty use x").split(" "),
      );
    }
    const rows = await app.storage.read.kysely.selectFrom("signing_keys").selectAll().execute();
    for (const { sealed_private } of rows) {
      expect(Buffer.from(sealed_private).toString("latin1")).not.toContain("\x06\x03+ep");
    }
  });
});
