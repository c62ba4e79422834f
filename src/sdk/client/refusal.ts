const STEP_UP = "insufficient_user_authentication";

/**
 * Whether an error code says that another access token of the same session might do. `insufficient_user_authentication`
 * (RFC 9470) is a 401 as well, but asks for the person: a fresh token would be refused again.
 */
function isStaleToken(code: string): boolean {
  return code === "token_expired" || code === "token_revoked";
}

/**
 * The same question for a 401 of a server that need not speak our envelope: its code decides where there is one, else
 * `WWW-Authenticate` (RFC 6750 section 3), else any 401 to a request that carried our token counts.
 * @param code the envelope's code, if any
 */
export function isStaleAnswer(code: string | undefined, challenge: string | null): boolean {
  if (code !== undefined) return isStaleToken(code);
  if (challenge === null) return true;
  return !challenge.includes(STEP_UP) && !challenge.includes("insufficient_scope");
}

/** `code` and `details` of `{ error: { code, details } }`. */
export function refusalIn(body: unknown): { code: string | undefined; details: unknown } {
  const error = (body as { error?: { code?: unknown; details?: unknown } | null } | null | undefined)?.error;
  return { code: typeof error?.code === "string" ? error.code : undefined, details: error?.details };
}
