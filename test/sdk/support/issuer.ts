import { createHash, randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

export const APPLICATION = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
export const SECOND = 1_000;

export interface TestKey {
  kid: string;
  alg: string;
  privateKey: CryptoKey;
  jwk: JWK;
}

/** Makes a key pair as the appliance publishes it: `kid`, `use`, `alg`. */
export async function newKey(alg: string, kid: string = randomUUID()): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export function digest(id: string): string {
  return createHash("sha256").update(id).digest("base64url");
}

export interface RevocationEntry {
  kind: string;
  digest: string;
  issued_before: number;
  expires_at: number;
}

type Handler = (request: Request, url: URL) => Response | undefined | Promise<Response | undefined>;

/**
 * A tenant's public endpoints on a real socket: keys, revocations by cursor, the session. `requests` holds the
 * paths asked for; `override` answers before the rest, to play the faults.
 */
export class TestIssuer implements AsyncDisposable {
  keys: TestKey[] = [];
  entries: RevocationEntry[] = [];
  requests: string[] = [];
  override: Handler = () => undefined;
  /** The tests' clock, in milliseconds: it dates the tokens, and the SDK uses it too. */
  time = Date.UTC(2026, 0, 1);
  readonly #server = Bun.serve({ port: 0, fetch: (request) => this.#answer(request) });

  get url(): string {
    return `http://localhost:${this.#server.port}`;
  }

  now = (): number => this.time;

  get seconds(): number {
    return Math.floor(this.time / SECOND);
  }

  count(path: string): number {
    return this.requests.filter((request) => request === path).length;
  }

  /** An access token as product.md describes it; `claims` with undefined take one away. */
  token(key: TestKey, claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
    const payload = {
      iss: this.url,
      sub: "018f3c4a-0000-7000-8000-000000000001",
      sid: "018f3c4a-0000-7000-8000-000000000002",
      jti: randomUUID(),
      org: null,
      aud: `${this.url}/api/${APPLICATION}`,
      azp: APPLICATION,
      iat: this.seconds,
      exp: this.seconds + 900,
      auth_time: this.seconds,
      typ: "access",
      aal: "aal1",
      scope: "account",
      ...claims,
    };
    return new SignJWT(payload)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT", ...header })
      .sign(key.privateKey);
  }

  /** In this moment; the feed rounds up to the next second, as `iat` is rounded down. */
  revoke(kind: string, id: string, issuedBefore = this.seconds + 1): void {
    this.entries.push({
      kind,
      digest: digest(id),
      issued_before: issuedBefore,
      expires_at: issuedBefore + 900,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    this.requests.push(url.pathname);
    const overridden = await this.override(request, url);
    if (overridden) return overridden;
    const path = url.pathname.replace(/^\/t\/[^/]+/, "");
    if (path === "/oauth2/jwks") return this.#jwks(request);
    if (path === "/v1/revocations") {
      const from = Number(url.searchParams.get("cursor") ?? 0);
      const data = this.entries.slice(from, from + 100);
      return Response.json({ data, next_cursor: String(from + data.length) });
    }
    return errorResponse(404, "not_found", "not_found_error");
  }

  #jwks(request: Request): Response {
    const body = JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) });
    const etag = `"${digest(body)}"`;
    const headers = { etag, "cache-control": "public, max-age=60", "content-type": "application/json" };
    if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
    return new Response(body, { headers });
  }
}

export function errorResponse(status: number, code: string, type: string): Response {
  return Response.json({ error: { code, message: code, type, request_id: "req-9", details: null } }, { status });
}
