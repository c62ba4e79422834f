/** The token, or the key behind it, is refused. The message is for the log, not for the caller of an endpoint. */
export class JwsError extends Error {
  override readonly name = "JwsError";
}
