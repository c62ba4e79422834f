import { expect } from "bun:test";
import { toPrefixedId } from "../../src/core/ids.ts";
import type { TestApp } from "../support/app.ts";
import { scenarios } from "../support/scenarios.ts";

const algorithms = async (app: TestApp, path: string) =>
  (await app.client().get(path)).body.keys.map(({ alg }) => alg).sort();

scenarios("JWKS (RFC 7517)", (t) => {
  t.test("each address has its own set, also with a doubled well-known path", async (app) => {
    const own = `/v1/applications/${app.applicationId}/.well-known/jwks.json`;
    const prefixed = `/v1/applications/${toPrefixedId("application", app.applicationId)}/.well-known/jwks.json`;
    const addresses: [string, string[]][] = [
      ["/.well-known/jwks.json", ["RS256"]],
      ["/.well-known/jwks.json/.well-known/jwks.json", ["RS256"]],
      [own, ["EdDSA"]],
      [prefixed, ["EdDSA"]],
      [`${own}/.well-known/jwks.json`, ["EdDSA"]],
      [`/v1/applications/${app.defaultApplicationId}/.well-known/jwks.json`, ["RS256"]],
      ["/oauth2/jwks", ["EdDSA", "RS256"]],
      ["/oauth2/jwks/.well-known/jwks.json", ["EdDSA", "RS256"]],
      ["/t/default/oauth2/jwks", ["EdDSA", "RS256"]],
    ];
    for (const [path, expected] of addresses) expect([path, await algorithms(app, path)]).toEqual([path, expected]);
    const { body, headers } = await app.client().get("/oauth2/jwks");
    for (const key of body.keys) expect([key.use, typeof key.kid, typeof key.alg]).toEqual(["sig", "string", "string"]);
    expect(headers.get("cache-control")).toBe("public, max-age=300");
  });

  t.test("a tenant's set has only its own keys, and an application is not found under another tenant", async (app) => {
    const acme = await app.tenant("acme");
    const kids = async (path: string) => (await app.client().get(path)).body.keys.map(({ kid }) => kid);
    const theirs = await kids("/t/acme/oauth2/jwks");
    const ours = await kids("/oauth2/jwks");
    expect(theirs).toHaveLength(1);
    expect(ours).not.toContain(theirs[0]);
    expect(await kids("/t/acme/.well-known/jwks.json")).toEqual(theirs);
    for (const path of [
      `/t/acme/v1/applications/${app.applicationId}/.well-known/jwks.json`,
      `/t/default/v1/applications/${acme.applicationId}/.well-known/jwks.json`,
      "/v1/applications/018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f/.well-known/jwks.json",
      "/t/nobody/oauth2/jwks",
      "/t/nobody/.well-known/jwks.json",
    ]) {
      expect([path, (await app.client().get(path)).status]).toEqual([path, 404]);
    }
    for (const id of ["x", toPrefixedId("user", app.applicationId), "%00", "'"]) {
      const answer = await app.client().get(`/v1/applications/${id}/.well-known/jwks.json`);
      expect([id, answer.code]).toEqual([id, "invalid_input"]);
    }
  });

  t.test("headers do not change the set at the root address", async (app) => {
    const { tokens } = await app.signedIn();
    const headers = { "x-application-id": app.applicationId, authorization: `Bearer ${tokens.accessToken}` };
    const answer = await app.client(headers).get("/.well-known/jwks.json");
    expect(answer.body.keys.map(({ alg }) => alg)).toEqual(["RS256"]);
    expect((await app.client({ authorization: "nonsense", "x-application-id": "x" }).get("/oauth2/jwks")).status).toBe(
      200,
    );
  });

  t.test(
    "a caller that has the current set gets 304, and a changed set in full (RFC 9110 section 13.1.2)",
    async (app) => {
      for (const path of ["/.well-known/jwks.json", "/oauth2/jwks", "/v1/revocations", "/openapi.json"]) {
        const first = await app.client().get(path);
        const etag = first.headers.get("etag") ?? "";
        expect(etag).toMatch(/^"[\w-]{43}"$/);
        for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
          const again = await app.client({ "if-none-match": known }).get(path);
          expect([path, known, again.status, again.text]).toEqual([path, known, 304, ""]);
          expect(again.headers.get("etag")).toBe(etag);
        }
        expect((await app.client({ "if-none-match": '"other"' }).get(path)).status).toBe(200);
      }
      const before = (await app.client().get("/oauth2/jwks")).headers.get("etag") ?? "";
      await app.identity.keyring.rotate(app.tenantId, "EdDSA");
      const after = await app.client({ "if-none-match": before }).get("/oauth2/jwks");
      expect([after.status, after.body.keys.length]).toEqual([200, 3]);
    },
  );

  t.test("HEAD answers like GET, without the body", async (app) => {
    const head = await app.client().send("HEAD", "/.well-known/jwks.json");
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(head.headers.get("etag")).not.toBeNull();
    expect((await app.client().send("POST", "/.well-known/jwks.json", { json: {} })).status).toBe(405);
  });
});
