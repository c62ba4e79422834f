const STEP_UP = "insufficient_user_authentication";

/**
 * Whether an error code says that another access token of the same session might do. `insufficient_user_authentication`
 * (RFC 9470) is a 401 as well, but asks for the person: a fresh token would be refused again.
 */
export function isStaleToken(code: string | undefined): boolean {
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

/** `code` of `{ error: { code } }`. */
export function codeOf(body: unknown): string | undefined {
  const code = (body as { error?: { code?: unknown } | null } | null | undefined)?.error?.code;
  return typeof code === "string" ? code : undefined;
}
