import { configurationError, parseUrl, SallyportError } from "../internal/errors.ts";

/** Where a credential may come from. */
export interface CredentialOptions {
  /**
   * The access cookie beside the Authorization header: `true` (the default) looks for the appliance's own name, a text for
   * that very name, `false` for none.
   */
  cookie?: boolean | string | undefined;
  /**
   * Other origins whose pages may change things by the cookie, `https://app.example.com`. The request's own origin always
   * may. Needed too where a proxy rewrites Host.
   */
  allowedOrigins?: readonly string[] | undefined;
}

/** {@link CredentialOptions}, checked, with the names of the cookie in the order in which they are tried. */
export interface CredentialRules {
  cookieNames: readonly string[];
  allowedOrigins: ReadonlySet<string>;
}

/** What is looked at of a request, in whatever framework. */
export interface RequestView {
  method: string;
  /** Lower-case name; null when the header is absent. */
  header: (name: string) => string | null;
}

interface Credential {
  /** The raw Authorization value, or the token of the cookie. */
  value: string;
  isCookie: boolean;
}

const COOKIE = "sallyport_at";
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * @param issuer under https the cookie has the prefix `__Host-`; without it a sibling host could have planted it
 * @throws SallyportError `configuration_error`
 */
export function readCredentialRules(
  { cookie = true, allowedOrigins = [] }: CredentialOptions,
  issuer: string,
  applicationId: string | null,
): CredentialRules {
  for (const origin of allowedOrigins) {
    if (parseUrl(origin)?.origin !== origin) {
      throw configurationError(`allowedOrigins must hold origins such as https://app.example.com, without a path.`);
    }
  }
  const origins = new Set(allowedOrigins);
  if (cookie === false) return { cookieNames: [], allowedOrigins: origins };
  if (cookie !== true) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(cookie)) throw configurationError("cookie must be a cookie's name.");
    return { cookieNames: [cookie], allowedOrigins: origins };
  }
  const name = issuer.startsWith("https:") ? `__Host-${COOKIE}` : COOKIE;
  // All but the default application append the last 12 hexadecimal digits of their id; which it is, is not known here.
  const own = applicationId === null ? [] : [`${name}_${applicationId.slice(-12)}`];
  return { cookieNames: [...own, name], allowedOrigins: origins };
}

/**
 * The Authorization header, whatever it holds; without one the cookie. A browser sends the cookie with what any page makes
 * it send, so where that changes something, the page must be of this origin or an allowed one.
 * @returns null when there is neither
 * @throws SallyportError 403 `origin_not_allowed`
 */
export function findCredential(request: RequestView, rules: CredentialRules): Credential | null {
  const authorization = request.header("authorization");
  if (authorization !== null) return { value: authorization, isCookie: false };
  const value = rules.cookieNames.length === 0 ? null : cookieOf(request.header("cookie"), rules.cookieNames);
  if (value === null) return null;
  // A WebSocket opens with a GET, from any page, and is read by it: no CORS stands in between.
  const isSafe = SAFE.has(request.method.toUpperCase()) && request.header("upgrade") === null;
  if (!isSafe && !isOwnPage(request, rules.allowedOrigins)) {
    throw new SallyportError({
      code: "origin_not_allowed",
      message: "The page's origin may not do this with the cookie.",
      status: 403,
      type: "authorization_error",
    });
  }
  return { value, isCookie: true };
}

/** Sec-Fetch-Site and Origin are set by the browser alone. Neither: no browser of today, and nothing to go by. */
function isOwnPage(request: RequestView, allowed: ReadonlySet<string>): boolean {
  const origin = request.header("origin");
  if (origin !== null && allowed.has(origin)) return true;
  const site = request.header("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  if (origin === null) return false;
  // Sent over plain http only, where the browser adds no Sec-Fetch-Site; a page cannot choose the Host that it calls.
  const host = request.header("host");
  return host !== null && parseUrl(origin)?.host === host.toLowerCase();
}

function cookieOf(header: string | null, names: readonly string[]): string | null {
  if (header === null) return null;
  const pairs = header.split(";").map((pair) => pair.trim());
  for (const name of names) {
    const pair = pairs.find((candidate) => candidate.startsWith(`${name}=`));
    const value = pair?.slice(name.length + 1);
    if (value) return value;
  }
  return null;
}
