import { SallyportError } from "../internal/errors.ts";
import { type AccessClaims, refused } from "./claims.ts";
import { type CredentialRules, findCredential, type RequestView } from "./credential.ts";
import { type CheckedRequirements, checkRequirements } from "./requirements.ts";
import type { Verifier } from "./verifier.ts";

export interface Guard {
  verifier: Verifier;
  rules: CredentialRules;
  requirements: CheckedRequirements;
  allowUnauthenticated: boolean;
}

/** A cookie with these faults counts as none. A valid but insufficient cookie is told which requirement it misses. */
const NO_SESSION = new Set<string>(["authentication_required", "token_expired", "token_revoked", "origin_not_allowed"]);

/**
 * Authenticates a request of any framework.
 * @returns null only under `allowUnauthenticated`
 * @throws SallyportError the refusal to answer; see `renderRefusal`
 */
export async function authenticate(request: RequestView, guard: Guard): Promise<AccessClaims | null> {
  const { verifier, allowUnauthenticated } = guard;
  let isCookie = request.header("authorization") === null;
  try {
    const credential = findCredential(request, guard.rules);
    if (credential === null) throw refused("no_token");
    isCookie = credential.isCookie;
    const claims = await verifier.verify(credential.value);
    checkRequirements(claims, guard.requirements, Math.floor(verifier.now() / 1_000), verifier.leeway);
    return claims;
  } catch (error) {
    const isNone = isCookie && error instanceof SallyportError && NO_SESSION.has(error.code);
    if (allowUnauthenticated && isNone) return null;
    throw error;
  }
}
