import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomUUID,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import type { Bundle } from "./database.ts";

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());

interface Verified {
  sid: string;
  azp: string;
  exp: number;
}

/** Uses SHA-256 and a bounded map of two generations, and verifies Ed25519 for tokens that are not in the map. */
export function accessTokens(issuer: string, keys: { id: string; algorithm: string; public_jwk: string }[]) {
  let seen = new Map<string, Verified>();
  let before = new Map<string, Verified>();
  const byId = new Map<string, KeyObject>();
  for (const key of keys) {
    if (key.algorithm !== "EdDSA") continue;
    byId.set(key.id, createPublicKey({ key: JSON.parse(key.public_jwk), format: "jwk" }));
  }
  return (authorization: string | null): Verified | null => {
    if (!authorization?.startsWith("Bearer ")) return null;
    const token = authorization.slice(7);
    const digest = hash("sha256", token, "base64");
    let verified = seen.get(digest) ?? before.get(digest);
    if (verified === undefined) {
      const [header = "", payload = "", signature = ""] = token.split(".");
      const key = byId.get(decode(header).kid);
      const signed = Buffer.from(`${header}.${payload}`, "latin1");
      if (!key || !verify(null, signed, key, Buffer.from(signature, "base64url"))) return null;
      const claims = decode(payload);
      if (claims.iss !== issuer || claims.typ !== "access") return null;
      verified = { sid: claims.sid, azp: claims.azp, exp: claims.exp };
      if (seen.size >= 10_000) {
        before = seen;
        seen = new Map();
      }
      seen.set(digest, verified);
    }
    return verified.exp * 1_000 > Date.now() ? verified : null;
  };
}

/** Signs with the floor's own keys. Only their kind and size matter. */
export function minting(issuer: string) {
  const ed = generateKeyPairSync("ed25519").privateKey;
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const kid = randomUUID();
  const edHeader = encode({ typ: "JWT", alg: "EdDSA", kid });
  const rsaHeader = encode({ typ: "JWT", alg: "RS256", kid });
  const refreshHeader = encode({ typ: "JWT", alg: "HS256", kid: "refresh-1" });
  const secret = Buffer.from(hash("sha256", randomUUID(), "buffer"));
  const mac = (input: string) => createHmac("sha256", secret).update(input).digest();
  const claimsOf = (row: Bundle) => {
    const now = Math.floor(Date.now() / 1_000);
    return encode({
      iss: issuer,
      sub: row.user_id,
      aud: row.audience,
      azp: row.application_id,
      exp: now + 900,
      iat: now,
      auth_time: Math.floor(row.authenticated_at / 1_000),
      jti: randomUUID(),
      sid: row.sid,
      typ: "access",
      aal: row.aal,
      auth_method: row.auth_method,
      amr: JSON.parse(row.amr),
      scope: row.scope,
      email: row.email,
      email_verified: row.email_verified_at !== null,
    });
  };
  return {
    ed(row: Bundle): string {
      const input = `${edHeader}.${claimsOf(row)}`;
      return `${input}.${sign(null, Buffer.from(input, "latin1"), ed).toString("base64url")}`;
    },
    client(clientId: string, scope: string): string {
      const now = Math.floor(Date.now() / 1_000);
      const aud = `${issuer}/management`;
      const ids = { sub: clientId, aud, azp: clientId, jti: randomUUID() };
      const input = `${edHeader}.${encode({ iss: issuer, ...ids, exp: now + 900, iat: now, typ: "access", scope })}`;
      return `${input}.${sign(null, Buffer.from(input, "latin1"), ed).toString("base64url")}`;
    },
    rsa(row: Bundle): Promise<string> {
      const input = `${rsaHeader}.${claimsOf(row)}`;
      return new Promise((resolve, reject) => {
        sign("sha256", Buffer.from(input, "latin1"), rsa, (error, signature) =>
          error ? reject(error) : resolve(`${input}.${signature.toString("base64url")}`),
        );
      });
    },
    refresh(sid: string, gen: number, iat: number, exp: number): string {
      const claims = { typ: "refresh", sid, gen, iat: Math.floor(iat / 1_000), exp: Math.floor(exp / 1_000) };
      const input = `${refreshHeader}.${encode(claims)}`;
      return `${input}.${mac(input).toString("base64url")}`;
    },
    readRefresh(token: string): { sid: string; gen: number; exp: number } | null {
      const end = token.lastIndexOf(".");
      const given = Buffer.from(token.slice(end + 1), "base64url");
      if (given.length !== 32 || !timingSafeEqual(mac(token.slice(0, end)), given)) return null;
      return decode(token.slice(token.indexOf(".") + 1, end));
    },
  };
}
