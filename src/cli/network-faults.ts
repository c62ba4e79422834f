/** Explains why a request failed, by the code of its error. */
const SENTENCES: readonly [RegExp, string][] = [
  [/^(TimeoutError|ETIMEDOUT|ABORT_ERR)$/, "it timed out"],
  [/^(ECONNREFUSED|ConnectionRefused)$/, "nothing listens there"],
  [
    /^(ENOTFOUND|EAI_AGAIN|EAI_NONAME|DNSException|FailedToOpenSocket)$/,
    "its name has no address in DNS, or no connection opens",
  ],
  [/^(ECONNRESET|EPIPE|ConnectionClosed)$/, "the connection was closed without an answer"],
  [/^CERT_HAS_EXPIRED$/, "its certificate has expired: renew it, and let the proxy load the new one"],
  [/^CERT_NOT_YET_VALID$/, "its certificate is not valid yet: check the clocks of both machines"],
  [
    /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    "its certificate is for other names: get one for the host of the public URL",
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/,
    "its certificate is signed by itself, or by an authority that this machine does not know: browsers will refuse it too, unless you installed that authority (NODE_EXTRA_CA_CERTS names it for this command)",
  ],
  [
    /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/,
    "its certificate comes without those of the authorities between: let the proxy send the full chain",
  ],
  [/^CERT_REVOKED$/, "its certificate was revoked: get a new one"],
  [
    /^(ERR_SSL_WRONG_VERSION_NUMBER|EPROTO)|WRONG_VERSION_NUMBER/,
    "it does not speak TLS there: use its https port, or http in the URL",
  ],
  [/^(ERR_SSL_|SSL_|ERR_TLS_)/, "its TLS settings do not work together with this machine's"],
];

/** Returns a part of a sentence about a failed request, with the code for a search. */
export function describeFault(thrown: unknown): string {
  const { name, code, message } = thrown as { name?: string; code?: unknown; message?: string };
  const key = name === "TimeoutError" ? name : typeof code === "string" ? code : (name ?? "");
  const said = SENTENCES.find(([pattern]) => pattern.test(key))?.[1];
  if (said === undefined) return typeof code === "string" ? code : (message ?? "no answer");
  return key === "TimeoutError" ? said : `${said} (${key})`;
}
