const STEP_UP = "insufficient_user_authentication";

/**
 * Whether another access token of the same session may succeed after this error code. `insufficient_user_authentication`
 * (RFC 9470) is a 401 as well, but a fresh token would be refused again: the user has to prove more.
 */
function isStaleToken(code: string): boolean {
  return code === "token_expired" || code === "token_revoked";
}

/**
 * Answers the same question for a 401 of any server, even of one that does not use our envelope. Its code decides if there is
 * one, then `WWW-Authenticate` (RFC 6750 section 3). Without either, any 401 to a request with our token counts as stale.
 * @param code the envelope's code, if any
 */
export function isStaleAnswer(code: string | undefined, challenge: string | null): boolean {
  if (code !== undefined) return isStaleToken(code);
  if (challenge === null) return true;
  return !challenge.includes(STEP_UP) && !challenge.includes("insufficient_scope");
}

/** Reads `code` and `details` from `{ error: { code, details } }`. */
export function refusalIn(body: unknown): { code: string | undefined; details: unknown } {
  const error = (body as { error?: { code?: unknown; details?: unknown } | null } | null | undefined)?.error;
  return { code: typeof error?.code === "string" ? error.code : undefined, details: error?.details };
}
