import { SallyportError } from "../internal/errors.ts";

/** The claims of an access token. Frozen, because every request with the token gets the same object. */
export interface AccessClaims {
  readonly iss: string;
  /** The user; for a machine-to-machine token, the client. */
  readonly sub: string;
  /** The session, unchanged by refreshes; absent for machine-to-machine tokens. */
  readonly sid?: string;
  /** The secret by which a machine client obtained the token: its end revokes the token. */
  readonly secret_id?: string;
  /** The token's own id. */
  readonly jti?: string;
  /** The organization of the session. */
  readonly org?: string | null;
  readonly org_role?: string | null;
  readonly aud: string | readonly string[];
  /** The application, as a UUID. */
  readonly azp: string;
  /** Unix seconds. */
  readonly exp: number;
  /** Unix seconds. */
  readonly iat: number;
  /** Unix seconds. */
  readonly nbf?: number;
  /** Unix seconds of the original authentication. A refresh does not change it. */
  readonly auth_time?: number;
  readonly typ: "access";
  /** `aal1`: one factor; `aal2`: a second factor, or a passkey with user verification. */
  readonly aal?: "aal1" | "aal2" | null;
  readonly auth_method?: string | null;
  /** RFC 8176. */
  readonly amr?: readonly string[];
  readonly email?: string | null;
  readonly email_verified?: boolean;
  /** Separated by spaces. */
  readonly scope?: string | null;
  readonly groups?: readonly string[];
  /** Claims that the application's claim template adds. */
  readonly [custom: string]: unknown;
}

/** The reason for refusing a token: `details.reason` of the error. For the integrator's log, not for the caller. */
export type RefusalReason =
  | "no_token"
  | "ambiguous"
  | "malformed"
  | "unknown_key"
  | "signature"
  | "type"
  | "issuer"
  | "audience"
  | "application"
  | "not_yet_valid"
  | "expired"
  | "revoked"
  | "missing_claim";

const TEXTS: Record<RefusalReason, string> = {
  no_token: "Send an access token with this request.",
  ambiguous: "The request carries the cookies of two users. Sign in again.",
  malformed: "The credential is not an access token.",
  unknown_key: "This issuer has no such signing key.",
  signature: "The token's signature is wrong.",
  type: "The token is not an access token.",
  issuer: "The token comes from another issuer.",
  audience: "The token is for another audience.",
  application: "The token is for another application.",
  not_yet_valid: "The token is of a later time than now: set the clocks of this machine and of the appliance.",
  expired: "The token has expired.",
  revoked: "The session of this token has ended.",
  missing_claim: "The token lacks a claim that every access token has.",
};

/**
 * 401, with the code that the appliance itself would answer.
 * @param message replaces the general text of the reason
 */
export function refused(reason: RefusalReason, message: string = TEXTS[reason]): SallyportError {
  const code =
    reason === "expired" ? "token_expired" : reason === "revoked" ? "token_revoked" : "authentication_required";
  return new SallyportError({
    code,
    message,
    status: 401,
    type: "authentication_error",
    details: { reason },
  });
}
