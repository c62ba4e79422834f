/** A tenant's slug, as in a host name: 1 to 63 lower-case letters, digits and inner hyphens. */
export const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Words of the server's own addresses, of today and of its planned pages. A slug is a part of addresses and never changes, so
 * no tenant may be called so: a proxy's rule or a log line for `/trpc/` would mean either. A test holds it against the routes.
 */
export const PATH_WORDS: ReadonlySet<string> = new Set(
  (
    "account admin anonymous api api-keys applications assets auth authorize begin challenge change complete " +
    "consent dev device disable email emails enable error export forgot healthz inbox introspect issuers jwks link " +
    "login logout me metrics mfa oauth-authorization-server oauth2 openapi organization passkey passkeys password proof " +
    "primary public readyz recovery-codes reference refresh register reset resources restore revocations revoke rotate " +
    "second-factor security select-account self-report session sessions setup sign-in sign-up signed-out start static stream t " +
    "tenants token trpc trusted-devices try undo upgrade users v1 verify webauthn well-known"
  ).split(" "),
);
