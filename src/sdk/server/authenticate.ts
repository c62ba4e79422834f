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
    const claims = credential.isCookie
      ? await verifyCookies(verifier, credential.values)
      : await verifier.verify(credential.value);
    checkRequirements(claims, guard.requirements, Math.floor(verifier.now() / 1_000), verifier.leeway);
    return claims;
  } catch (error) {
    const isNone = isCookie && error instanceof SallyportError && NO_SESSION.has(error.code);
    if (allowUnauthenticated && isNone) return null;
    throw error;
  }
}

/**
 * Verifies the cookies of each name, and takes the newest valid token of the first name that has one: a browser also sends
 * stale cookies of an earlier path or domain, in any order. Over plain http, a sibling host can plant a token of its own
 * (session fixation), so valid tokens of two users count as none.
 * @throws SallyportError the refusal of the first cookie
 */
async function verifyCookies(verifier: Verifier, names: readonly (readonly string[])[]): Promise<AccessClaims> {
  let refusal: unknown = null;
  for (const tokens of names) {
    const valid: AccessClaims[] = [];
    for (const token of tokens) {
      try {
        valid.push(await verifier.verify(token));
      } catch (error) {
        refusal ??= error;
      }
    }
    const [first] = valid;
    if (first === undefined) continue;
    if (valid.some(({ sub }) => sub !== first.sub)) throw refused("ambiguous");
    return valid.reduce((newest, claims) => (claims.iat > newest.iat ? claims : newest), first);
  }
  throw refusal ?? refused("no_token");
}
