/** The codes of RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 8707 section 2, and their registry's additions. */
export type OAuthErrorCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_scope"
  | "invalid_target"
  | "invalid_token"
  | "insufficient_scope"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "temporarily_unavailable"
  | "server_error";

/** An error in OAuth's own format. The description is public. */
export class OAuthError extends Error {
  override readonly name = "OAuthError";

  constructor(
    readonly code: OAuthErrorCode,
    /** ASCII without quotes and backslashes (RFC 6749 section 5.2). */
    readonly description: string,
    readonly options: { status?: number; retryAfter?: number; challenge?: string } = {},
  ) {
    super(description);
  }

  get status(): number {
    const { code } = this;
    if (this.options.status !== undefined) return this.options.status;
    if (code === "insufficient_scope") return 403;
    return code === "invalid_client" || code === "invalid_token" ? 401 : 400;
  }
}
