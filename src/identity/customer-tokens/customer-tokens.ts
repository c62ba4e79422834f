import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { HOUR, MINUTE, SECOND, toSeconds } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { parseId } from "../../core/ids.ts";
import { isJsonObject } from "../../core/json.ts";
import { RecentMap } from "../../core/recent-map.ts";
import { type HmacKey, importHmacKey, isHmacAlgorithm } from "../../crypto/hmac-keys.ts";
import { type HmacAlgorithm, verifyJws } from "../../crypto/jws.ts";
import { encodeJwt } from "../../crypto/jwt.ts";
import type { MasterKeys } from "../../crypto/master-key.ts";
import { type Claims, decodeClaims } from "../../jose/claims.ts";
import { JwsError } from "../../jose/error.ts";
import { type ParsedJws, parseJws } from "../../jose/jws.ts";
import type { ApiKeysTable } from "../../storage/schema.ts";
import type { Storage } from "../../storage/storage.ts";
import type { ApiKeys } from "../api-keys/api-keys.ts";
import { findApiKey } from "../api-keys/public.ts";
import type { Application } from "../applications/application.ts";
import type { Directory } from "../applications/directory.ts";
import { ActIn } from "../audit/act.ts";
import type { UserRow } from "../users/wire.ts";
import { Profiles, PUBLIC_CONTENT_TYPE, type SignedProfile } from "./profiles.ts";
import { findOrCreateExternal, findOrCreatePublic } from "./users.ts";

/** The caller behind a token that the appliance did not mint as an access token: no session, no `aal`, no `auth_time`. */
export interface SignedCaller {
  profile: SignedProfile;
  keyId: string;
  application: Application;
  user: UserRow;
}

/** The lifetime of a token of the public issuer, in ms. */
const PUBLIC_LIFETIME = HOUR;
/** How far ahead `exp` may be, and how wrong the signer's clock may be, in ms. */
const LIFETIME = HOUR;
const TOLERANCE = MINUTE;
const IDENTITY_LENGTH = 255;
/** The maximum number of keys that stay open. */
const REMEMBERED = 1_000;

/** Tokens that a customer's backend signs for its users, and tokens of the public issuer (`product.md`). */
export class CustomerTokens {
  readonly profiles = new Profiles();
  readonly #opened = new RecentMap<HmacKey>(REMEMBERED);

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly directory: Directory,
    private readonly masterKeys: MasterKeys,
    private readonly apiKeys: ApiKeys,
  ) {}

  /**
   * Verifies a token.
   * @param profile the profile that the token's `cty` names
   * @throws AppError `authentication_required` unless it is a valid token of this profile, `token_expired`, `token_revoked`
   */
  async verify(token: string, profile: SignedProfile, origin: RequestOrigin): Promise<SignedCaller> {
    const { parsed, claims } = read(token);
    const keyId = typeof claims.iss === "string" ? parseId("apiKey", claims.iss) : null;
    const row = keyId === null ? undefined : await findApiKey(this.storage.read, keyId);
    const now = this.clock.now();
    // A key of one kind never identifies users of the other kind.
    if (!row || row.kind !== profile || !this.#isSigned(parsed, row, now)) throw invalidToken();
    if (row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now)) {
      throw new AppError("token_revoked", { message: "The key that signed this token has ended." });
    }
    const application = await this.directory.application(row.application_id);
    if (!application || application.tenant.id !== row.tenant_id) throw invalidToken();
    if (application.disabled || application.tenant.disabled) throw new AppError("token_revoked");
    if (typeof claims.sub !== "string" || parseId("tenant", claims.sub) !== row.tenant_id) throw invalidToken();
    checkTimes(claims, now);
    const identity = identityOf(claims);
    const act = new ActIn(application, origin, { kind: "key", id: row.id });
    const user =
      profile === "public"
        ? await findOrCreatePublic(this.storage, now, act, row.id, identity)
        : await findOrCreateExternal(this.storage, now, act, identity);
    if (user.deleted_at !== null || user.disabled_at !== null) {
      throw new AppError("token_revoked", { message: "The user of this token was deleted or disabled." });
    }
    // Any caller can get a public token, so it never identifies a user with credentials, or a user of the customer's own system.
    if (profile === "public" && (user.email !== null || user.external_id !== null)) throw invalidToken();
    this.apiKeys.touch(row.id, row.last_used_at, now);
    return { profile, keyId: row.id, application, user };
  }

  /** Mints a token of the public issuer. Only the appliance holds its HMAC key. */
  mintPublic(row: ApiKeysTable, identity: string): string | Promise<string> {
    if (row.kind !== "public" || row.sealed_secret === null) throw new Error(`the key ${row.id} is not a public key`);
    const issuedAt = toSeconds(this.clock.now());
    const key = importHmacKey("HS256", this.#open(row, row.sealed_secret), row.id);
    const claims = {
      iss: row.id,
      sub: row.tenant_id,
      iat: issuedAt,
      exp: issuedAt + PUBLIC_LIFETIME / SECOND,
      scope: "public",
      grants: { identity },
    };
    return encodeJwt(key, claims, { cty: PUBLIC_CONTENT_TYPE });
  }

  /** Returns whether the key's secret signed this token, or its previous secret while that is still valid. */
  #isSigned(parsed: ParsedJws, row: ApiKeysTable, now: number): boolean {
    const { alg } = parsed.header;
    if (!isHmacAlgorithm(alg)) return false;
    const seals = [row.sealed_secret, (row.previous_expires_at ?? 0) > now ? row.previous_sealed : null];
    return seals.some((sealed) => {
      if (sealed === null) return false;
      // A public key's 32 bytes are for HS256, the only algorithm of the issuer.
      if (row.kind === "public" && alg !== "HS256") return false;
      return verifyJws(parsed, this.#keyOf(row, sealed, alg));
    });
  }

  /** Opens each sealed value once. The row is read every time, and a rotated key has a new sealed value. */
  #keyOf(row: ApiKeysTable, sealed: Uint8Array, alg: HmacAlgorithm): HmacKey {
    const name = `${alg} ${row.id} ${Buffer.from(sealed).toString("latin1")}`;
    const known = this.#opened.get(name);
    if (known) return known;
    const opened = importHmacKey(alg, this.#open(row, sealed), row.id);
    this.#opened.set(name, opened);
    return opened;
  }

  #open(row: ApiKeysTable, sealed: Uint8Array): Uint8Array {
    return this.masterKeys.open(sealed, { keyId: row.id, purpose: `api-key:${row.kind}` });
  }
}

function read(token: string): { parsed: ParsedJws; claims: Claims } {
  try {
    const parsed = parseJws(token);
    if (parsed.header.typ !== "JWT") throw invalidToken();
    return { parsed, claims: decodeClaims(parsed) };
  } catch (error) {
    if (error instanceof JwsError) throw invalidToken(error);
    throw error;
  }
}

/** Requires `exp`, at most an hour ahead. A token that a backend signs for a year is as dangerous as a password. */
function checkTimes(claims: Claims, now: number): void {
  const { exp, nbf, iat } = claims;
  if (exp === undefined) throw invalidToken();
  if (exp * SECOND <= now) throw new AppError("token_expired");
  if (exp * SECOND > now + LIFETIME + TOLERANCE) {
    throw new AppError("authentication_required", {
      message: "exp must be at most one hour ahead.",
      challenge: CHALLENGE,
    });
  }
  if ((nbf ?? 0) * SECOND > now + TOLERANCE || (iat ?? 0) * SECOND > now + TOLERANCE) {
    throw new AppError("authentication_required", {
      message: "iat or nbf is later than now: set the clock of the machine that signs.",
      challenge: CHALLENGE,
    });
  }
}

/** Returns `grants.identity`. @throws AppError unless it is a string that can be an external id */
function identityOf(claims: Claims): string {
  const grants = Object.hasOwn(claims, "grants") ? claims.grants : undefined;
  const identity = isJsonObject(grants) && Object.hasOwn(grants, "identity") ? grants.identity : undefined;
  if (typeof identity !== "string" || identity === "" || identity.length > IDENTITY_LENGTH) throw noIdentity();
  // The same rule holds wherever an external id enters: PostgreSQL refuses a NUL.
  if (/\p{Cc}/u.test(identity) || !identity.isWellFormed()) throw noIdentity();
  return identity;
}

const CHALLENGE = 'Bearer error="invalid_token"';

function noIdentity(): AppError {
  return new AppError("authentication_required", {
    message: "grants.identity must be a non-empty string of at most 255 characters.",
    challenge: CHALLENGE,
  });
}

function invalidToken(cause?: unknown): AppError {
  return new AppError("authentication_required", {
    message: "The access token is not valid here.",
    challenge: CHALLENGE,
    cause,
  });
}
