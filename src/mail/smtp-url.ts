/** The encryption of the connection. `optional` accepts any certificate, so it protects only against passive listeners. */
export type SmtpTls = "implicit" | "required" | "optional" | "off";

/** The mail server that takes the mails. */
export interface SmtpServer {
  host: string;
  port: number;
  tls: SmtpTls;
  user: string | null;
  password: string | null;
}

/** Says that the URL cannot be used. The message completes a sentence that begins with the setting. */
export class SmtpUrlError extends Error {
  override name = "SmtpUrlError";
}

const EXAMPLE = "such as smtp://user:password@smtp.example.com:587";
const TLS = ["required", "optional", "off"] as const;

/**
 * Reads `smtp://user:password@host:587` (requires STARTTLS, unless the host is this machine) and `smtps://…` (begins with TLS).
 * `?tls=required`, `?tls=optional` and `?tls=off` override that. Port 465 always begins with TLS, with either scheme.
 * No message repeats the URL, because it holds a password.
 * @throws SmtpUrlError
 */
export function parseSmtpUrl(text: string): SmtpServer {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "smtp:" && url.protocol !== "smtps:")) {
    throw new SmtpUrlError(`must be a URL ${EXAMPLE}, with /, @, : and # in the password percent-encoded`);
  }
  if (url.hostname === "") throw new SmtpUrlError(`names no host; write it ${EXAMPLE}`);
  if (!["", "/"].includes(url.pathname) || url.hash !== "") {
    throw new SmtpUrlError(
      "must end with the port; a /, ? or # in the password must be percent-encoded (%2F, %3F, %23)",
    );
  }
  const wished = tlsOf(url);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? (url.protocol === "smtps:" ? 465 : 587) : Number(url.port);
  if (port === 0) throw new SmtpUrlError("has port 0; mail servers take mail on 587, 465 or 25");
  const isImplicit = url.protocol === "smtps:" || port === 465;
  if (isImplicit && wished !== null) {
    throw new SmtpUrlError("is encrypted from the start (smtps:// or port 465) and takes no tls=");
  }
  const user = decoded(url.username);
  const password = decoded(url.password);
  if (user === null && password !== null) throw new SmtpUrlError("has a password but no user");
  return {
    host,
    port,
    tls: isImplicit ? "implicit" : (wished ?? (isLocal(host) ? "off" : "required")),
    user,
    password,
  };
}

function tlsOf(url: URL): (typeof TLS)[number] | null {
  const unknown = [...url.searchParams.keys()].find((name) => name !== "tls");
  if (unknown !== undefined) throw new SmtpUrlError(`has an unknown parameter ${unknown}; the only one is tls=`);
  const value = url.searchParams.get("tls");
  if (value === null) return null;
  const found = TLS.find((name) => name === value);
  if (!found) throw new SmtpUrlError(`has tls=${value.slice(0, 20)}; it is required, optional or off`);
  return found;
}

function decoded(part: string): string | null {
  if (part === "") return null;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new SmtpUrlError("has a % that begins no percent-encoding; write % itself as %25");
  }
}

/** Returns whether the host is this machine, by name (RFC 6761 section 6.3) or by address: nobody can listen in between. */
export function isLocal(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1");
  // Compares the whole address: 127.0.0.1.example.com can be anywhere.
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(?:\.\d{1,3}){3}$/.test(name);
}
