import { describe, expect, test } from "bun:test";
import { type OnStale, SallyportServer } from "../../../src/sdk/server/index.ts";
import { APPLICATION, digest, errorResponse, newKey, SECOND, TestIssuer, type TestKey } from "../support/issuer.ts";
import { outcome } from "../support/refusal.ts";

function open(issuer: TestIssuer, onStale?: OnStale, path = "") {
  const tenantUrl = path === "" ? undefined : issuer.url + path;
  return new SallyportServer({
    baseUrl: issuer.url,
    tenantUrl,
    issuer: issuer.url,
    applicationId: APPLICATION,
    now: issuer.now,
    onStale,
  });
}

const FEED = "/v1/revocations";

/** Completes a poll: the set is older than a minute, so the next verification waits for a newer one. */
async function catchUp(issuer: TestIssuer) {
  issuer.time += 61 * SECOND;
}

describe("revocations", () => {
  const named: Record<string, (token: Record<string, string>, key: TestKey) => string> = {
    sid: (claims) => claims.sid ?? "",
    jti: (claims) => claims.jti ?? "",
    sub: (claims) => claims.sub ?? "",
    application: () => APPLICATION,
    secret: (claims) => claims.secret_id ?? "",
    key: (_claims, key) => key.kid,
    tenant: () => "018f3c4a-0000-7000-8000-0000000000ff",
  };

  test.each(Object.keys(named))(
    "by %s: known from the start, learnt later, and not applied to newer tokens",
    async (kind) => {
      await using issuer = new TestIssuer();
      const key = await newKey("EdDSA");
      issuer.keys = [key];
      const ids = { sid: "the-session", jti: "the-token", sub: "the-user", secret_id: "the-secret" };
      const token = await issuer.token(key, ids);
      const server = open(issuer);
      expect(await outcome(server.verifyToken(token))).toBe("accepted");
      issuer.revoke(kind, named[kind]?.(ids, key) ?? "");
      await catchUp(issuer);
      expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
      expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
      expect(await outcome(open(issuer).verifyToken(token))).toBe("token_revoked/revoked");
      expect(await outcome(server.verifyToken(await issuer.token(key, ids)))).toBe("accepted");
      server.close();
    },
  );

  test.each([
    ["sid", "token_revoked/revoked"],
    ["jti", "token_revoked/revoked"],
    ["sub", "accepted"],
  ])("at equality of iat and issued_before, %s: %s", async (kind, expected) => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    issuer.revoke(kind, "it", issuer.seconds);
    const server = open(issuer);
    const at = (iat: number) => issuer.token(key, { [kind]: "it", iat });
    expect(await outcome(server.verifyToken(await at(issuer.seconds - 1)))).toBe("token_revoked/revoked");
    expect(await outcome(server.verifyToken(await at(issuer.seconds)))).toBe(expected);
    expect(await outcome(server.verifyToken(await at(issuer.seconds + 1)))).toBe("accepted");
    server.close();
  });

  test("a revocation of another id, or of the same id under another kind, changes nothing", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    issuer.revoke("sub", "somebody else");
    issuer.revoke("sid", "the-user");
    issuer.entries.push({ kind: "unheard-of", digest: digest("u"), issued_before: 9e9, expires_at: 9e9 });
    const server = open(issuer);
    expect(await outcome(server.verifyToken(await issuer.token(key, { sub: "the-user", sid: "s" })))).toBe("accepted");
    server.close();
  });

  test("an entry stays for as long as a token may be accepted after its exp", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const token = await issuer.token(key, { sid: "s" });
    issuer.revoke("sid", "s");
    const server = open(issuer);
    expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
    issuer.time += 903 * SECOND;
    expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
    server.close();
  });

  test("the feed is read to its end, then by cursor from there", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    for (let index = 0; index < 250; index++) issuer.revoke("sid", `s${index}`);
    const cursors: (string | null)[] = [];
    issuer.override = (_request, url) => {
      if (url.pathname === FEED) cursors.push(url.searchParams.get("cursor"));
      return undefined;
    };
    const server = open(issuer);
    expect(await outcome(server.verifyToken(await issuer.token(key, { sid: "s249" })))).toBe("token_revoked/revoked");
    expect(cursors).toEqual([null, "100", "200", "250"]);
    await catchUp(issuer);
    await server.verifyToken(await issuer.token(key));
    expect(cursors.slice(4)).toEqual(["250"]);
    server.close();
  });

  test("an unknown cursor: the poll begins again, and forgets nothing meanwhile", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    issuer.revoke("sid", "s");
    const server = open(issuer);
    const token = await issuer.token(key, { sid: "s" });
    expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
    issuer.override = (_request, url) =>
      url.searchParams.has("cursor") && url.searchParams.get("cursor") !== "0"
        ? errorResponse(400, "invalid_input", "invalid_request_error")
        : url.pathname === FEED
          ? Response.json({ data: [], next_cursor: "0" })
          : undefined;
    await catchUp(issuer);
    expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
    expect(server.staleness()).toBe(0);
    server.close();
  });

  test("a busy process polls every ten seconds, not with every token", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const server = open(issuer);
    for (let second = 0; second < 30; second++) {
      await server.verifyToken(await issuer.token(key));
      issuer.time += SECOND;
      await Bun.sleep(0);
    }
    expect(issuer.count(FEED)).toBeLessThanOrEqual(3);
    server.close();
  });

  test("an idle process polls before it answers", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const token = await issuer.token(key, { sid: "s" });
    const server = open(issuer);
    await server.verifyToken(token);
    issuer.revoke("sid", "s");
    issuer.time += 300 * SECOND;
    expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
    server.close();
  });

  test("tokens that come during the first poll wait for it too", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    issuer.revoke("sid", "s");
    issuer.override = async (_request, url) => {
      if (url.pathname === FEED) await Bun.sleep(20);
      return undefined;
    };
    const server = open(issuer);
    const token = await issuer.token(key, { sid: "s" });
    const first = outcome(server.verifyToken(token));
    await Bun.sleep(5);
    expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
    expect(await first).toBe("token_revoked/revoked");
    expect(issuer.count(FEED)).toBe(2);
    server.close();
  });

  test("every tenant has its own feed", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const server = open(issuer, "allow", "/t/acme");
    await server.verifyToken(await issuer.token(key));
    expect(issuer.requests.toSorted()).toEqual(["/t/acme/oauth2/jwks", "/t/acme/v1/revocations"]);
    server.close();
  });
});

describe("past 60 seconds without contact", () => {
  async function stale(onStale: OnStale | undefined, session: () => Response) {
    const issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const server = open(issuer, onStale);
    const token = await issuer.token(key);
    expect(await outcome(server.verifyToken(token))).toBe("accepted");
    expect(server.staleness()).toBe(0);
    issuer.override = (_request, url) =>
      url.pathname === "/oauth2/introspect" ? session() : errorResponse(503, "overloaded", "api_error");
    issuer.time += 59 * SECOND;
    expect(await outcome(server.verifyToken(token))).toBe("accepted");
    issuer.time += 2 * SECOND;
    expect(server.staleness()).toBe(61 * SECOND);
    const first = await outcome(server.verifyToken(token));
    const [recovered, asked] = [await recover(issuer, server, token), issuer.count("/oauth2/introspect")];
    server.close();
    await issuer[Symbol.asyncDispose]();
    return { first, recovered, asked };
  }

  async function recover(issuer: TestIssuer, server: SallyportServer, token: string) {
    issuer.override = () => undefined;
    issuer.time += 11 * SECOND;
    return outcome(server.verifyToken(token));
  }

  const fine = () => Response.json({ active: true });

  test("the default accepts tokens until they expire", async () => {
    expect(await stale(undefined, fine)).toEqual({ first: "accepted", recovered: "accepted", asked: 0 });
  });

  test("the default does not let requests wait for an appliance that hangs", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const server = open(issuer);
    const token = await issuer.token(key);
    await server.verifyToken(token);
    issuer.override = () => errorResponse(503, "overloaded", "api_error");
    issuer.time += 61 * SECOND;
    await server.verifyToken(token);
    // From here on the appliance never answers: a wait for it would last until the test's own limit.
    const { promise, resolve } = Promise.withResolvers<undefined>();
    issuer.override = () => promise;
    issuer.time += 11 * SECOND;
    expect(await outcome(server.verifyToken(token))).toBe("accepted");
    resolve(undefined);
    server.close();
  }, 4_000);

  test("deny refuses all tokens, and recovers by itself", async () => {
    expect(await stale("deny", fine)).toEqual({ first: "unreachable", recovered: "accepted", asked: 0 });
  });

  test("introspect asks the appliance about each token", async () => {
    expect(await stale("introspect", fine)).toEqual({ first: "accepted", recovered: "accepted", asked: 1 });
    const ended = () => Response.json({ active: false });
    expect((await stale("introspect", ended)).first).toBe("token_revoked/revoked");
    const down = () => errorResponse(503, "overloaded", "api_error");
    expect((await stale("introspect", down)).first).toBe("overloaded");
  });

  test("an oversized feed counts as no contact, because a dropped entry would let a token in", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const pages = (from: number) =>
      Array.from({ length: 20_000 }, (_, index) => ({
        kind: "sid",
        digest: `d${from + index}`,
        issued_before: issuer.seconds,
        expires_at: issuer.seconds + 900,
      }));
    let sent = 0;
    issuer.override = (_request, url) => {
      if (url.pathname !== FEED) return undefined;
      const data = pages(sent);
      sent += data.length;
      return Response.json({ data: sent > 140_000 ? [] : data, next_cursor: String(sent) });
    };
    const server = open(issuer, "deny");
    expect(await outcome(server.verifyToken(await issuer.token(key)))).toBe("unreachable");
    expect(sent).toBeLessThanOrEqual(120_000);
    server.close();
  });

  test("deny refuses from the start when revocations were never read", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    issuer.override = (_request, url) =>
      url.pathname === FEED ? errorResponse(503, "overloaded", "api_error") : undefined;
    const server = open(issuer, "deny");
    expect(server.staleness()).toBe(Number.POSITIVE_INFINITY);
    expect(await outcome(server.verifyToken(await issuer.token(key)))).toBe("unreachable");
    server.close();
  });
});
