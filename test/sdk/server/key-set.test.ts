import { describe, expect, test } from "bun:test";
import { SallyportServer } from "../../../src/sdk/server/index.ts";
import { eventually } from "../../support/eventually.ts";
import { APPLICATION, errorResponse, newKey, SECOND, TestIssuer } from "../support/issuer.ts";
import { outcome } from "../support/refusal.ts";

function open(issuer: TestIssuer) {
  return new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION, now: issuer.now });
}

const JWKS = "/oauth2/jwks";

describe("the key set", () => {
  test("is fetched once for many simultaneous tokens, and not again while it is fresh", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const server = open(issuer);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => issuer.token(key)));
    await Promise.all(tokens.map((token) => server.verifyToken(token)));
    issuer.time += 30 * SECOND;
    await server.verifyToken(await issuer.token(key));
    expect(issuer.count(JWKS)).toBe(1);
    server.close();
  });

  test("is revalidated by ETag in the background after its max-age", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const statuses: (string | null)[] = [];
    issuer.override = (request, url) => {
      if (url.pathname === JWKS) statuses.push(request.headers.get("if-none-match"));
      return undefined;
    };
    const server = open(issuer);
    await server.verifyToken(await issuer.token(key));
    issuer.time += 61 * SECOND;
    await server.verifyToken(await issuer.token(key));
    await until(() => statuses.length === 2);
    expect(statuses[0]).toBeNull();
    expect(statuses[1]).toStartWith('"');
    server.close();
  });

  test("an outage after the first fetch delays no request", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const server = open(issuer);
    await server.verifyToken(await issuer.token(key));
    issuer.override = () => errorResponse(503, "overloaded", "api_error");
    for (let minute = 0; minute < 10; minute++) {
      issuer.time += 60 * SECOND;
      expect(await outcome(server.verifyToken(await issuer.token(key)))).toBe("accepted");
    }
    server.close();
  });

  test("an outage at the start is reported as the appliance's fault, without a storm of fetches", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    issuer.override = () => errorResponse(503, "overloaded", "api_error");
    const server = open(issuer);
    const token = await issuer.token(key);
    for (let attempt = 0; attempt < 20; attempt++) {
      expect(await outcome(server.verifyToken(token))).toBe("overloaded");
    }
    expect(issuer.count(JWKS)).toBe(1);
    issuer.override = () => undefined;
    issuer.time += 11 * SECOND;
    expect(await outcome(server.verifyToken(token))).toBe("accepted");
    server.close();
  });

  test("nobody listening", async () => {
    const issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    const server = open(issuer);
    const token = await issuer.token(key);
    await issuer[Symbol.asyncDispose]();
    expect(await outcome(server.verifyToken(token))).toBe("unreachable");
    server.close();
  });

  test("rotation: a new key is found at its first token, and a withdrawn key ends its tokens", async () => {
    await using issuer = new TestIssuer();
    const [first, second] = [await newKey("EdDSA"), await newKey("EdDSA")];
    issuer.keys = [first];
    const server = open(issuer);
    const old = await issuer.token(first, { exp: issuer.seconds + 9_000 });
    await server.verifyToken(old);
    issuer.keys = [first, second];
    issuer.time += 11 * SECOND;
    expect(await outcome(server.verifyToken(await issuer.token(second)))).toBe("accepted");
    expect(await outcome(server.verifyToken(old))).toBe("accepted");
    issuer.keys = [second];
    issuer.time += 61 * SECOND;
    await server.verifyToken(await issuer.token(second));
    // The old set is used while the new one is fetched.
    await eventually(async () => {
      expect(await outcome(server.verifyToken(old))).toBe("authentication_required/unknown_key");
    });
    server.close();
  });

  test("a kid that returns with another key does not accept the old key's tokens", async () => {
    await using issuer = new TestIssuer();
    const [first, second] = [await newKey("EdDSA", "same"), await newKey("EdDSA", "same")];
    issuer.keys = [first];
    const server = open(issuer);
    const old = await issuer.token(first);
    await server.verifyToken(old);
    issuer.keys = [second];
    issuer.time += 61 * SECOND;
    expect(await outcome(server.verifyToken(old))).toBe("authentication_required/signature");
    server.close();
  });

  test("a storm of invented kids costs the appliance one fetch in ten seconds", async () => {
    await using issuer = new TestIssuer();
    issuer.keys = [await newKey("EdDSA")];
    const stranger = await newKey("EdDSA");
    const server = open(issuer);
    for (let round = 0; round < 3; round++) {
      const tokens = await Promise.all(
        Array.from({ length: 100 }, (_, index) => issuer.token({ ...stranger, kid: `invented-${round}-${index}` })),
      );
      const outcomes = await Promise.all(tokens.map((token) => outcome(server.verifyToken(token))));
      expect(new Set(outcomes)).toEqual(new Set(["authentication_required/unknown_key"]));
    }
    // One fetch of the set, and one for the unknown kids.
    expect(issuer.count(JWKS)).toBe(2);
    issuer.time += 11 * SECOND;
    await outcome(server.verifyToken(await issuer.token({ ...stranger, kid: "another" })));
    expect(issuer.count(JWKS)).toBe(3);
    server.close();
  });

  test.each<[string, (keys: object[]) => Response]>([
    ["two megabytes", (keys) => Response.json({ keys, pad: "x".repeat(2_000_000) })],
    [
      "two megabytes without a length",
      (keys) => {
        const body = new Blob([JSON.stringify({ keys, pad: "x".repeat(2_000_000) })]).stream();
        return new Response(body.pipeThrough(new TransformStream()), {
          headers: { "content-type": "application/json" },
        });
      },
    ],
    [
      "a thousand keys",
      (keys) => Response.json({ keys: [...keys, ...Array.from({ length: 1_000 }, (_, i) => ({ kid: String(i) }))] }),
    ],
    ["a page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["no set", () => Response.json({ keys: "none" })],
    ["a redirect", () => Response.redirect("https://attacker.example/jwks", 302)],
  ])("refuses %s and keeps the old set", async (_name, answer) => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const server = open(issuer);
    const token = await issuer.token(key);
    issuer.override = (_request, url) => (url.pathname === JWKS ? answer([key.jwk]) : undefined);
    expect(await outcome(server.verifyToken(token))).toBe("unexpected_response");
    issuer.override = () => undefined;
    issuer.time += 11 * SECOND;
    expect(await outcome(server.verifyToken(token))).toBe("accepted");
    issuer.override = (_request, url) => (url.pathname === JWKS ? answer([key.jwk]) : undefined);
    issuer.time += 61 * SECOND;
    expect(await outcome(server.verifyToken(await issuer.token(key)))).toBe("accepted");
    server.close();
  });

  test("skips keys with another use or algorithm and malformed keys, and uses the rest", async () => {
    await using issuer = new TestIssuer();
    const good = await newKey("EdDSA");
    const bad = await Promise.all(["EdDSA", "ES256", "RS256", "ES384", "PS256"].map((alg) => newKey(alg)));
    const leaked = await newKey("EdDSA");
    bad.push(leaked);
    const [encryption, curve, small] = bad;
    if (!encryption || !curve || !small) throw new Error("six keys were made");
    leaked.jwk.d = "leaked";
    encryption.jwk.use = "enc";
    curve.jwk.crv = "P-384";
    small.jwk.e = "AQ";
    issuer.keys = [...bad, { ...good, jwk: { ...good.jwk, x5c: ["certificate"] } }];
    const server = open(issuer);
    expect(await outcome(server.verifyToken(await issuer.token(good)))).toBe("accepted");
    for (const key of bad) {
      expect(await outcome(server.verifyToken(await issuer.token(key)))).toBe("authentication_required/unknown_key");
    }
    server.close();
  });

  test.each<[string, (mine: object, theirs: object) => string]>([
    ["a kid occurs twice", (mine, theirs) => JSON.stringify({ keys: [mine, theirs] })],
    ["a secret is among public keys", (mine) => JSON.stringify({ keys: [mine, { kty: "oct", k: "AAAA" }] })],
    ["a key repeats a member", (mine) => JSON.stringify({ keys: [mine] }).replace('"kty":', '"kty":"RSA","kty":')],
  ])("refuses a whole set in which %s, and keeps the old set", async (_name, text) => {
    await using issuer = new TestIssuer();
    const [mine, theirs] = [await newKey("EdDSA", "one"), await newKey("EdDSA", "one")];
    issuer.keys = [mine];
    const answer = () => new Response(text(mine.jwk, theirs.jwk), { headers: { "content-type": "application/json" } });
    issuer.override = (_request, url) => (url.pathname === JWKS ? answer() : undefined);
    const server = open(issuer);
    expect(await outcome(server.verifyToken(await issuer.token(mine)))).toBe("unexpected_response");
    issuer.override = () => undefined;
    issuer.time += 11 * SECOND;
    expect(await outcome(server.verifyToken(await issuer.token(mine)))).toBe("accepted");
    issuer.override = (_request, url) => (url.pathname === JWKS ? answer() : undefined);
    issuer.time += 61 * SECOND;
    expect(await outcome(server.verifyToken(await issuer.token(mine)))).toBe("accepted");
    server.close();
  });
});

/** Waits for background work, by turns of the event loop rather than by time. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !condition(); turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(condition()).toBe(true);
}
