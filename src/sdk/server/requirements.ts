import { configurationError, SallyportError } from "../internal/errors.ts";
import type { AccessClaims } from "./claims.ts";

/** Requirements on a token, beyond being valid. */
export interface Requirements {
  /** All of these scopes: one string separated by spaces, or a list. */
  scope?: string | readonly string[] | undefined;
  /** `aal2`: the user signed in with a second factor, or with a passkey that verified the user. */
  aal?: "aal1" | "aal2" | undefined;
  /** The most seconds since the user signed in (`auth_time`). A refresh does not count as a sign-in. */
  maxAge?: number | undefined;
  /** Accepts machine-to-machine tokens too, which have no session and no user. Default false. */
  allowMachines?: boolean | undefined;
}

/** {@link Requirements} after one check. */
export interface CheckedRequirements {
  scopes: readonly string[];
  aal: "aal1" | "aal2" | null;
  maxAge: number | null;
  allowMachines: boolean;
}

/** @throws SallyportError `configuration_error`: a misspelt level must not count as no level */
export function readRequirements(requirements: Requirements): CheckedRequirements {
  const { aal, maxAge, allowMachines } = requirements;
  if (aal !== undefined && aal !== "aal1" && aal !== "aal2") throw configurationError('aal must be "aal1" or "aal2".');
  if (maxAge !== undefined && !(Number.isFinite(maxAge) && maxAge >= 0)) {
    throw configurationError("maxAge must be a number of seconds.");
  }
  return {
    scopes: readScopes(requirements.scope),
    aal: aal ?? null,
    maxAge: maxAge ?? null,
    allowMachines: allowMachines === true,
  };
}

/** @throws SallyportError `configuration_error` unless each is a scope-token (RFC 6749 section 3.3) */
export function readScopes(scope: string | readonly string[] | undefined): readonly string[] {
  if (scope === undefined) return [];
  const scopes = typeof scope === "string" ? scope.split(" ") : [...scope];
  for (const token of scopes) {
    if (typeof token !== "string" || !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(token)) {
      throw configurationError("scope must be one or more scopes, separated by single spaces or in a list.");
    }
  }
  return scopes;
}

/**
 * @param seconds the time now, in Unix seconds
 * @throws SallyportError 403 `forbidden` and `insufficient_scope`, 401 `insufficient_user_authentication` (RFC 9470)
 */
export function checkRequirements(
  claims: AccessClaims,
  { scopes, aal, maxAge, allowMachines }: CheckedRequirements,
  seconds: number,
  leeway: number,
): void {
  if (!allowMachines && typeof claims.sid !== "string") {
    throw new SallyportError({
      code: "forbidden",
      message: "Machine tokens are not accepted here. Sign in as a user.",
      status: 403,
      type: "authorization_error",
    });
  }
  const isTooWeak = aal !== null && claims.aal !== "aal2" && claims.aal !== aal;
  const { auth_time } = claims;
  const isTooOld = maxAge !== null && !(typeof auth_time === "number" && seconds <= auth_time + maxAge + leeway);
  if (isTooWeak || isTooOld) {
    throw new SallyportError({
      code: "insufficient_user_authentication",
      message: "This needs a stronger or fresher sign-in. Sign in again.",
      status: 401,
      type: "authentication_error",
      details: { ...(aal === null ? {} : { acr_values: aal }), ...(maxAge === null ? {} : { max_age: maxAge }) },
    });
  }
  checkScopes(claims, scopes);
}

/** @throws SallyportError 403 `insufficient_scope` */
export function checkScopes(claims: AccessClaims, scopes: readonly string[]): void {
  if (scopes.length === 0) return;
  const held = new Set(typeof claims.scope === "string" ? claims.scope.split(" ") : []);
  if (scopes.every((scope) => held.has(scope))) return;
  throw new SallyportError({
    code: "insufficient_scope",
    message: "The token lacks a required scope.",
    status: 403,
    type: "authorization_error",
    details: { scope: scopes.join(" ") },
  });
}
