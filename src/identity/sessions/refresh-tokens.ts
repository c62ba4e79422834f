import { SECOND, toSeconds } from "../../core/clock.ts";
import { type HmacKey, importHmacKey } from "../../crypto/hmac-keys.ts";
import { verifyJws } from "../../crypto/jws.ts";
import { encodeJwt } from "../../crypto/jwt.ts";
import { decodeClaims } from "../../jose/claims.ts";
import { JwsError } from "../../jose/error.ts";
import { parseJws } from "../../jose/jws.ts";
import type { DataKey, DataKeys } from "../keys/data-keys.ts";

/** The claims of a refresh token. Times are in ms. */
export interface RefreshClaims {
  sid: string;
  generation: number;
  issuedAt: number;
  expiresAt: number;
}

const KID = /^refresh-(\d{1,6})$/;

/**
 * A refresh token is a deterministic HS256 JWT over (session, generation, issued at, expires at) under a key that is never
 * published: no secret is stored, and a lost answer can be repeated. The claim `typ: "refresh"` makes every other endpoint
 * refuse it, and HS256 makes verifiers that know only the JWKS refuse it.
 */
export class RefreshTokens {
  readonly #keys = new Map<number, HmacKey>();

  constructor(private readonly dataKeys: DataKeys) {}

  async mint(claims: RefreshClaims): Promise<string> {
    return encodeJwt(this.#import(this.dataKeys.current("refresh")), {
      typ: "refresh",
      sid: claims.sid,
      gen: claims.generation,
      iat: toSeconds(claims.issuedAt),
      exp: toSeconds(claims.expiresAt),
    });
  }

  /** Returns null unless this is a refresh token of this instance. The caller checks the expiry. */
  parse(token: string): RefreshClaims | null {
    try {
      const parsed = parseJws(token);
      const version = KID.exec(String(parsed.header.kid))?.[1];
      const key = version === undefined ? undefined : this.dataKeys.version("refresh", Number(version));
      if (!key || !verifyJws(parsed, this.#import(key))) return null;
      const claims = decodeClaims(parsed);
      if (claims.typ !== "refresh" || typeof claims.sid !== "string") return null;
      if (typeof claims.gen !== "number" || typeof claims.iat !== "number" || typeof claims.exp !== "number")
        return null;
      return {
        sid: claims.sid,
        generation: claims.gen,
        issuedAt: claims.iat * SECOND,
        expiresAt: claims.exp * SECOND,
      };
    } catch (error) {
      if (error instanceof JwsError) return null;
      throw error;
    }
  }

  #import({ version, key }: DataKey): HmacKey {
    const known = this.#keys.get(version);
    if (known) return known;
    const imported = importHmacKey("HS256", key, `refresh-${version}`);
    this.#keys.set(version, imported);
    return imported;
  }
}
