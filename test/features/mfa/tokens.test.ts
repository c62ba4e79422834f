import { expect, test } from "bun:test";
import { proceduresOf } from "../../../src/rpc/invoke.ts";
import { startApp, type TestApp } from "../../support/app.ts";
import type { Client } from "../../support/client.ts";
import { machine, tokenOf } from "../../support/machines.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, own, ownPage, policy, verify } from "../../support/second-factors.ts";
import { altered, claimsOf, headerOf, hmacToken } from "../../support/tokens.ts";
import { totp } from "../../support/totp.ts";

const ID = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const MFA = ["setup", "enable", "challenge", "verify"].map((name) => `/v1/auth/mfa/${name}`);
/** Returns the body that each path takes besides the token. */
const bodyOf = (path: string, code = "123456") =>
  path.endsWith("verify") ? { method: "totp", code } : path.endsWith("enable") ? { code } : {};

const probe = await startApp();
const procedures = Object.entries(proceduresOf(probe.app.router)).map(([name, { _def }]) => ({
  name,
  access: _def.meta?.access.kind ?? "unstated",
  method: _def.meta?.rest?.method ?? "GET",
  path: (_def.meta?.rest?.path ?? "").replace(/\{\w+\}/g, ID),
}));
await probe.close();
/** Every procedure that needs a credential. */
const guarded = procedures.filter(({ access }) => access !== "public");

test("the table holds the routes of every kind", () => {
  expect(guarded.length).toBeGreaterThan(20);
  for (const kind of ["session", "end-user", "sign-out", "key", "flow-or-session"]) {
    expect([kind, guarded.some(({ access }) => access === kind)]).toEqual([kind, true]);
  }
});

/** Returns tokens of both steps for one person. Each works in its own step. */
async function halfWay(app: TestApp) {
  const person = await enrolled(app);
  const proof = (await firstFactor(app, person.user)).body.mfa_token;
  await policy(app, { mfa: "required" });
  const setup = (await firstFactor(app, await app.user())).body.mfa_token;
  return { person, tokens: { proof, setup } };
}

scenarios("a credential of one factor opens nothing (ASVS 6.3.4, 9.2.2)", (t) => {
  for (const kind of ["proof", "setup"] as const) {
    t.test(
      `an MFA token (${kind}) is refused as Bearer and as cookie, on every route and both transports`,
      async (app) => {
        const { tokens } = await halfWay(app);
        const token = tokens[kind];
        const suffix = `_${app.applicationId.slice(-12)}`;
        const cookie = { cookie: `sallyport_at${suffix}=${token}; sallyport_rt${suffix}=${token}` };
        const callers: Record<string, Client> = {
          bearer: app.client().bearer(token),
          "bearer beside the application": own(app).bearer(token),
          cookies: own(app, cookie),
        };
        const before = await app.state();
        for (const [how, client] of Object.entries(callers)) {
          for (const { name, method, path } of guarded) {
            const body = method === "POST" || method === "PATCH" ? { json: bodyOf(path) } : {};
            const rest = await client.send(method, path, body);
            expect([how, name, [400, 401].includes(rest.status)]).toEqual([how, name, true]);
            const trpc = method === "GET" ? await client.query(name) : await client.mutate(name, bodyOf(path));
            expect([how, name, "trpc", [400, 401].includes(trpc.status)]).toEqual([how, name, "trpc", true]);
          }
        }
        expect(await app.state()).toBe(before);
      },
    );
  }

  t.test(
    "an MFA token is refused as refresh token in the body and as cookie, as a device's secret, and as a mailed link",
    async (app) => {
      const { person, tokens } = await halfWay(app);
      const suffix = `_${app.applicationId.slice(-12)}`;
      const refresh = await own(app).post("/v1/auth/refresh", { refresh_token: tokens.proof });
      expect([refresh.status, refresh.code]).toEqual([401, "invalid_credentials"]);
      const cookie = own(app, { cookie: `sallyport_rt${suffix}=${tokens.proof}` });
      expect((await cookie.post("/v1/auth/refresh")).code).toBe("invalid_credentials");
      const device = await own(app).post("/v1/auth/login", {
        ...person.user.login,
        trusted_device: tokens.setup.slice(0, 200),
      });
      expect(device.body.status).toBe("mfa_required");
      const linkCookie = own(app, { cookie: `sallyport_td${suffix}=${tokens.proof}` });
      expect((await linkCookie.post("/v1/auth/login", person.user.login)).body.status).toBe("mfa_required");
    },
  );

  t.test("a session beside an MFA token adds nothing: the token alone decides", async (app) => {
    const { person } = await halfWay(app);
    const client = app.client().bearer(person.tokens.access_token);
    for (const path of MFA) {
      const answer = await client.post(path, { ...bodyOf(path), mfa_token: "no-token" });
      expect([path, answer.code]).toEqual([path, "invalid_code"]);
    }
  });
});

scenarios("nothing else is an MFA token (ASVS 9.1.1, 9.1.2, 9.2.1)", (t) => {
  t.test("refuses every other credential, and every forgery, at every endpoint that takes one", async (app) => {
    const { person, tokens } = await halfWay(app);
    const { tokens: plain } = await app.signedIn(await app.application());
    const client = own(app);
    const claims = claimsOf(tokens.proof);
    const header = headerOf(tokens.proof);
    const mfaKey = app.identity.dataKeys.current("mfa").key;
    const refreshKey = app.identity.dataKeys.current("refresh").key;
    const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${tokens.proof.split(".")[1]}.`;
    const others: Record<string, string> = {
      "access token": plain.accessToken,
      "access token of two factors": person.tokens.access_token,
      "refresh token": plain.refreshToken,
      "secret key": app.secretKey,
      "M2M token": await tokenOf(app, await machine(app, { grants: { management: ["admin"] } })),
      "recovery code": person.codes[0] ?? "",
      "a flow's id": String(claims.jti),
      "alg none": none,
      "no signature": tokens.proof.split(".").slice(0, 2).join("."),
      "another flow under the old signature": altered(tokens.proof, { claims: { jti: claimsOf(tokens.setup).jti } }),
      "longer under the old signature": altered(tokens.proof, { claims: { exp: Number(claims.exp) + 3600 } }),
      "empty key": hmacToken(header, claims, ""),
      "the key of refresh tokens": hmacToken(header, claims, refreshKey),
      "the key of refresh tokens by its name": hmacToken({ ...header, kid: "refresh-1" }, claims, refreshKey),
      "another type": hmacToken(header, { ...claims, typ: "refresh" }, mfaKey),
      "no type": hmacToken(header, { ...claims, typ: undefined }, mfaKey),
      "no end": hmacToken(header, { ...claims, exp: undefined }, mfaKey),
      "no beginning": hmacToken(header, { ...claims, iat: undefined }, mfaKey),
      "begins tomorrow": hmacToken(
        header,
        { ...claims, iat: Number(claims.iat) + 86_400, exp: Number(claims.exp) + 86_400 },
        mfaKey,
      ),
      "is over": hmacToken(header, { ...claims, exp: Number(claims.iat) }, mfaKey),
      "an unknown flow": hmacToken(header, { ...claims, jti: ID }, mfaKey),
      "another version of the key": hmacToken({ ...header, kid: "mfa-2" }, claims, mfaKey),
      "a critical header": hmacToken({ ...header, crit: ["b64"] }, claims, mfaKey),
      nonsense: "x",
    };
    const code = totp(person.secret, app.clock.now());
    const before = await app.state();
    for (const [kind, token] of Object.entries(others)) {
      for (const path of MFA) {
        const answer = await client.post(path, { ...bodyOf(path, code), mfa_token: token });
        expect([kind, path, answer.status, answer.code]).toEqual([kind, path, 401, "invalid_code"]);
      }
    }
    expect(await app.state()).toBe(before);
    // The same claims work when signed as before, so only the changes were refused.
    expect((await verify(client, hmacToken(header, claims, mfaKey), code)).status).toBe(200);
  });

  t.test("a flow of another kind does not work, even with its id signed by the right key", async (app) => {
    const { person, tokens } = await halfWay(app);
    await app.storage.write((tx) => tx.kysely.updateTable("flows").set({ kind: "sign_in" }).execute());
    expect((await verify(own(app), tokens.proof, totp(person.secret, app.clock.now()))).code).toBe("invalid_code");
  });

  t.test(
    "an MFA token of another application or tenant is refused, and still works where it belongs (ASVS 6.6.2, 8.4.1)",
    async (app) => {
      const { person, tokens } = await halfWay(app);
      const acme = await app.tenant("acme");
      const code = totp(person.secret, app.clock.now());
      const elsewhere: Record<string, Client> = {
        "the default application": app.client(),
        "another application": app.client({ "x-application-id": await app.application() }),
        "another tenant": app.client({ "x-application-id": acme.applicationId }),
        "another tenant's backend": app.client().bearer(acme.secretKey),
      };
      for (const [where, client] of Object.entries(elsewhere)) {
        for (const path of MFA) {
          const answer = await client.post(path, { ...bodyOf(path, code), mfa_token: tokens.proof });
          expect([where, path, answer.status, answer.code]).toEqual([where, path, 403, "application_mismatch"]);
        }
      }
      const path = "/t/acme/v1/auth/mfa/verify";
      const body = { mfa_token: tokens.proof, method: "totp", code };
      expect((await app.client().post(path, body)).code).toBe("application_mismatch");
      expect((await verify(own(app), tokens.proof, code)).status).toBe(200);
    },
  );

  t.test("a page of another site cannot finish a visitor's sign-in (ASVS 3.5.1)", async (app) => {
    const { person, tokens } = await halfWay(app);
    const code = totp(person.secret, app.clock.now());
    const evil = app.page("https://evil.example", { "x-application-id": app.applicationId });
    expect((await verify(evil, tokens.proof, code)).code).toBe("origin_not_allowed");
    const page = ownPage(app);
    const answer = await verify(page, tokens.proof, code);
    expect([answer.status, answer.body.refresh_token]).toEqual([200, null]);
    // The cookies of a signed-in user do not help.
    const stolen = app.page("https://evil.example", { "x-application-id": app.applicationId });
    for (const [name, cookie] of page.jar ?? []) stolen.jar?.set(name, cookie);
    for (const path of [...MFA, "/v1/auth/mfa/disable", "/v1/auth/mfa/recovery-codes"]) {
      expect([path, (await stolen.post(path, bodyOf(path))).code]).toEqual([path, "origin_not_allowed"]);
    }
  });

  t.test("refuses unknown fields: no field names a user, a level or a flow", async (app) => {
    const { person, tokens } = await halfWay(app);
    const code = totp(person.secret, app.clock.now());
    const more = [{ user_id: ID }, { aal: "aal2" }, { is_setup: true }, { application_id: ID }, { __proto__x: 1 }];
    for (const extra of more) {
      for (const path of MFA) {
        const answer = await own(app).post(path, { ...bodyOf(path, code), mfa_token: tokens.proof, ...extra });
        expect([path, answer.code]).toEqual([path, "invalid_input"]);
      }
    }
    for (const wrong of [
      { mfa_token: [tokens.proof] },
      { code: 123456 },
      { code: [code] },
      { method: "sms" },
      { method: ["totp"] },
    ]) {
      const body = { mfa_token: tokens.proof, method: "totp", code, ...wrong };
      expect((await own(app).post("/v1/auth/mfa/verify", body)).code).toBe("invalid_input");
    }
    expect((await verify(own(app), tokens.proof, code)).status).toBe(200);
  });
});
