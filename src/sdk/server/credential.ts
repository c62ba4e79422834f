import { configurationError, parseUrl, SallyportError } from "../internal/errors.ts";

/** The accepted sources of a credential. */
export interface CredentialOptions {
  /**
   * The access cookie, beside the Authorization header: `true` (the default) accepts the appliance's cookie name, a string
   * exactly that name, and `false` no cookie.
   */
  cookie?: boolean | string | undefined;
  /**
   * Other origins whose pages may change data with the cookie, such as `https://app.example.com`. The request's own origin
   * always may. Also needed behind a proxy that rewrites Host.
   */
  allowedOrigins?: readonly string[] | undefined;
}

/** {@link CredentialOptions} after the checks, with the cookie names in the order of trial. */
export interface CredentialRules {
  cookieNames: readonly string[];
  allowedOrigins: ReadonlySet<string>;
}

/** The parts of a request that authentication reads, in any framework. */
export interface RequestView {
  method: string;
  /** Takes the name in lower case; returns null if the header is absent. */
  header: (name: string) => string | null;
}

type Credential =
  /** The raw Authorization value. */
  | { isCookie: false; value: string }
  /** The tokens of all cookies of each name, in the order of trial. A browser may hold several of one name. */
  | { isCookie: true; values: readonly (readonly string[])[] };

const COOKIE = "sallyport_at";
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * @param issuer under https the cookie has the prefix `__Host-`; without it, a sibling host could plant the cookie
 * @throws SallyportError `configuration_error`
 */
export function readCredentialRules(
  { cookie = true, allowedOrigins = [] }: CredentialOptions,
  issuer: string,
  applicationId: string | null,
): CredentialRules {
  for (const origin of allowedOrigins) {
    if (parseUrl(origin)?.origin !== origin) {
      throw configurationError(
        `allowedOrigins must be a list of origins without a path, such as https://app.example.com.`,
      );
    }
  }
  const origins = new Set(allowedOrigins);
  if (cookie === false) return { cookieNames: [], allowedOrigins: origins };
  if (cookie !== true) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(cookie)) throw configurationError("cookie must be a cookie's name.");
    return { cookieNames: [cookie], allowedOrigins: origins };
  }
  const name = issuer.startsWith("https:") ? `__Host-${COOKIE}` : COOKIE;
  // Every application but the default one appends the last 12 hexadecimal digits of its id. Both names are tried.
  const own = applicationId === null ? [] : [`${name}_${applicationId.slice(-12)}`];
  return { cookieNames: [...own, name], allowedOrigins: origins };
}

/**
 * Returns the Authorization header, whatever it holds; without it, the cookie. Any page can make a browser send the cookie, so
 * for a request that may change data, the page must have this origin or an allowed one.
 * @returns null if there is neither
 * @throws SallyportError 403 `origin_not_allowed`
 */
export function findCredential(request: RequestView, rules: CredentialRules): Credential | null {
  const authorization = request.header("authorization");
  if (authorization !== null) return { value: authorization, isCookie: false };
  const cookies = request.header("cookie");
  const values = cookies === null ? [] : rules.cookieNames.map((name) => valuesOf(cookies, name));
  if (values.every(({ length }) => length === 0)) return null;
  // Any page can open a WebSocket, with a GET, and read from it: CORS does not protect it.
  const isSafe = SAFE.has(request.method.toUpperCase()) && request.header("upgrade") === null;
  if (!isSafe && !isOwnPage(request, rules.allowedOrigins)) {
    throw new SallyportError({
      code: "origin_not_allowed",
      message: "This page's origin may not use the cookie here. Send a Bearer token, or allow the origin.",
      status: 403,
      type: "authorization_error",
    });
  }
  return { isCookie: true, values };
}

/** Only the browser sets Sec-Fetch-Site and Origin. A request with neither is not from a current browser, and proves nothing. */
function isOwnPage(request: RequestView, allowed: ReadonlySet<string>): boolean {
  const origin = request.header("origin");
  if (origin !== null && allowed.has(origin)) return true;
  const site = request.header("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  if (origin === null) return false;
  // Over plain http, the browser adds no Sec-Fetch-Site; but a page cannot choose the Host that it calls.
  const host = request.header("host");
  return host !== null && parseUrl(origin)?.host === host.toLowerCase();
}

/** The most cookies of one name that are tried. A sibling host can plant dozens. */
const MAX_CANDIDATES = 4;

function valuesOf(header: string, name: string): string[] {
  const values = header
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.length > name.length + 1 && pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return [...new Set(values)].slice(0, MAX_CANDIDATES);
}
