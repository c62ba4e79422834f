import { MINUTE, SECOND, toSeconds } from "../../core/clock.ts";
import { isUuid } from "../../core/ids.ts";
import { type HmacKey, importHmacKey } from "../../crypto/hmac-keys.ts";
import { verifyJws } from "../../crypto/jws.ts";
import { encodeJwt } from "../../crypto/jwt.ts";
import { decodeClaims } from "../../jose/claims.ts";
import { JwsError } from "../../jose/error.ts";
import { parseJws } from "../../jose/jws.ts";
import type { DataKey, DataKeys } from "../keys/data-keys.ts";

/** How far the clocks of two nodes may differ, in ms. */
const CLOCK_SKEW = MINUTE;
const KID = /^mfa-(\d{1,6})$/;

/**
 * The token of a user who has proven a first factor: an HS256 JWT under a key that is never published, with `typ: "mfa"`. It
 * names its flow record, and opens only the second-factor procedures.
 */
export class MfaTokens {
  readonly #keys = new Map<number, HmacKey>();

  constructor(private readonly dataKeys: DataKeys) {}

  async mint(flowId: string, issuedAt: number, lifetime: number): Promise<string> {
    const key = this.#import(this.dataKeys.current("mfa"));
    const claims = { typ: "mfa", jti: flowId, iat: toSeconds(issuedAt), exp: toSeconds(issuedAt + lifetime) };
    return encodeJwt(key, claims);
  }

  /** Returns the flow's id, or null unless this is a live MFA token of this instance. */
  parse(token: string, now: number): string | null {
    try {
      const parsed = parseJws(token);
      const version = KID.exec(String(parsed.header.kid))?.[1];
      const key = version === undefined ? undefined : this.dataKeys.version("mfa", Number(version));
      if (!key || !verifyJws(parsed, this.#import(key))) return null;
      const claims = decodeClaims(parsed);
      const { typ, jti, iat, exp } = claims;
      if (typ !== "mfa" || !isUuid(jti) || typeof iat !== "number" || typeof exp !== "number") return null;
      // Refuses a token that was issued in the future: the clock was set back, and an expired token must not become valid
      // again.
      const isTimely = exp * SECOND > now && iat * SECOND <= now + CLOCK_SKEW;
      return isTimely ? jti : null;
    } catch (error) {
      if (error instanceof JwsError) return null;
      throw error;
    }
  }

  #import({ version, key }: DataKey): HmacKey {
    const known = this.#keys.get(version);
    if (known) return known;
    const imported = importHmacKey("HS256", key, `mfa-${version}`);
    this.#keys.set(version, imported);
    return imported;
  }
}
