import { expect } from "bun:test";
import { encodeJwt } from "../../../src/crypto/jwt.ts";
import { PUBLISH_LEAD } from "../../../src/identity/keys/keyring.ts";
import { SallyportServer } from "../../../src/sdk/server/index.ts";
import { startApp, type TestApp } from "../../support/app.ts";
import { addSecret, dropSecret, machine, tokenOf } from "../../support/machines.ts";
import { scenarios } from "../../support/scenarios.ts";
import { claimsOf, headerOf } from "../../support/tokens.ts";

const SECOND = 1_000;
const DAY = 86_400;

const ask = async (app: TestApp, token: string) => {
  const { status, body } = await app.client().bearer(token).get("/v1/auth/session");
  return status === 200 ? "accepted" : body.error.code;
};

const verifier = (app: TestApp, applicationId = app.applicationId, audience?: string) =>
  new SallyportServer({
    baseUrl: app.url,
    issuer: app.publicUrl,
    applicationId,
    audience,
    revocations: "poll",
    now: () => app.clock.now(),
  });
const verdict = (server: SallyportServer, token: string) =>
  server.verifyToken(token).then(
    () => "accepted",
    (error) => error.code as string,
  );
const kidsOf = async (app: TestApp) => (await app.client().get("/oauth2/jwks")).body.keys.map(({ kid }) => kid ?? "");

scenarios("a withdrawn signing key", (t) => {
  t.test("verifies nothing from then on, at the server and at verifiers, and sessions refresh", async (app) => {
    const { tokens } = await app.signedIn();
    const { accessToken, refreshToken } = tokens;
    const kid = headerOf(accessToken).kid as string;
    const before = verifier(app);
    expect([await ask(app, accessToken), await verdict(before, accessToken)]).toEqual(["accepted", "accepted"]);
    const next = await app.identity.keyring.withdraw(kid);
    expect(await ask(app, accessToken)).toBe("token_revoked");
    expect((await app.client().bearer(accessToken).post("/v1/auth/logout")).body.error.code).toBe("token_revoked");
    const kids = await kidsOf(app);
    expect([kids.includes(kid), kids.includes(next ?? "")]).toEqual([false, true]);
    app.clock.advance(61 * SECOND);
    const after = verifier(app);
    expect(await verdict(before, accessToken)).toBe("token_revoked");
    expect(await verdict(after, accessToken)).toBe("token_revoked");
    const fresh = await app.client().post("/v1/auth/refresh", { refresh_token: refreshToken });
    expect(headerOf(fresh.body.access_token).kid).toBe(next);
    expect(await ask(app, fresh.body.access_token)).toBe("accepted");
    expect(await verdict(after, fresh.body.access_token)).toBe("accepted");
    expect(await app.audit()).toContain("signing_key.withdrawn");
    before.close();
    after.close();
  });

  t.test("forges no token, whatever times it states, also when all else about it has expired", async (app) => {
    const { tokens } = await app.signedIn();
    const leaked = await app.identity.keyring.signer(app.tenantId, "EdDSA");
    const forge = (later: number) => {
      const iat = Math.floor(app.clock.now() / SECOND) + later;
      return encodeJwt(leaked, { ...claimsOf(tokens.accessToken), iat, exp: iat + 3_650 * DAY });
    };
    const early = await forge(0);
    expect(await ask(app, early)).toBe("accepted");
    await app.identity.keyring.withdraw(headerOf(early).kid as string);
    const server = verifier(app);
    for (const token of [early, await forge(0), await forge(4)]) {
      expect([await ask(app, token), await verdict(server, token)]).toEqual(["token_revoked", "token_revoked"]);
    }
    app.clock.advance(2 * DAY * SECOND);
    for (const token of [early, await forge(0)]) {
      expect([await ask(app, token), await verdict(server, token)]).toEqual([
        "authentication_required",
        "authentication_required",
      ]);
    }
    server.close();
  });

  t.test("is refused within three seconds by another node that has just accepted its token", async (app) => {
    const second = await startApp({ beside: app });
    const { user, tokens } = await app.signedIn();
    expect(await ask(second, tokens.accessToken)).toBe("accepted");
    await app.identity.keyring.withdraw(headerOf(tokens.accessToken).kid as string);
    app.clock.advance(3 * SECOND + 1);
    expect(await ask(second, tokens.accessToken)).toBe("token_revoked");
    expect(await ask(second, (await second.signIn(user)).accessToken)).toBe("accepted");
    await second.close();
  });

  t.test("gives way to its published successor, and a withdrawn successor to a new key", async (app) => {
    const { user, tokens } = await app.signedIn();
    const { keyring } = app.identity;
    const signsWith = async () => headerOf((await app.signIn(user)).accessToken).kid;
    const first = headerOf(tokens.accessToken).kid as string;
    const coming = await keyring.rotate(app.tenantId, "EdDSA");
    expect(await keyring.withdraw(first)).toBe(coming);
    expect(await signsWith()).toBe(coming);
    const later = await keyring.rotate(app.tenantId, "EdDSA");
    const made = await keyring.withdraw(later);
    expect([later, coming, first]).not.toContain(made ?? "");
    expect(await signsWith()).toBe(made ?? "");
    app.clock.advance(PUBLISH_LEAD + SECOND);
    expect(await signsWith()).toBe(made ?? "");
    for (const kid of [first, later, app.tenantId, "no id"]) expect(await keyring.withdraw(kid)).toBeNull();
  });
});

scenarios("a machine client's secret that is turned off", (t) => {
  t.test("ends the tokens that it obtained, and no other tokens of the client", async (app) => {
    const audience = "https://api.example.com";
    const grants = { management: ["users:read", "tokens:read"], [audience]: ["read"] };
    const client = await machine(app, { grants });
    const second = { ...client, ...(await addSecret(app, client.id)) };
    const tokens = [await tokenOf(app, client), await tokenOf(app, second)] as const;
    const [old, current] = [await tokenOf(app, client, { audience }), await tokenOf(app, second, { audience })];
    const server = verifier(app, client.id, audience);
    expect([await verdict(server, old), await verdict(server, current)]).toEqual(["accepted", "accepted"]);
    await dropSecret(app, client.id, client.secretId);
    const list = async (token: string) => (await app.client().bearer(token).get("/v1/users")).status;
    expect([await list(tokens[0]), await list(tokens[1])]).toEqual([401, 200]);
    app.clock.advance(61 * SECOND);
    expect([await verdict(server, old), await verdict(server, current)]).toEqual(["token_revoked", "accepted"]);
    server.close();
    // A token whose minting began before the end of the secret, and took long.
    const application = await app.identity.directory.application(client.id);
    if (!application) throw new Error("no application");
    const input = { audience: `${app.publicUrl}/management`, scope: "users:read", lifetime: 900 };
    const late = (secretId: string) => app.identity.accessTokens.mintForClient(application, { ...input, secretId });
    expect([await list(await late(client.secretId)), await list(await late(second.secretId))]).toEqual([401, 200]);
  });
});
