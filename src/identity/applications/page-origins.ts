/** `http://localhost` and `http://127.0.0.1` with any port, as browsers send them: lower case, no path. */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1)(:\d{1,5})?$/;
/** Splits the origin of a page on the web before the first dot of its host. */
const LABEL = /^(https?:\/\/)[a-z0-9_-]+(\..+)$/;
/** `https://*.example.com` and `http://*.localhost:3000`: below a whole top-level domain anyone may have a page. */
const WILDCARD = /^(?:https?:\/\/\*\.(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*|http:\/\/\*\.localhost)(?::\d{1,5})?$/;
/** The origin of an app's or extension's own pages. Its id may have upper case, as in Safari. */
const OWN_SCHEME = /^([a-z][a-z0-9+.-]*):\/\/[A-Za-z0-9._-]+(?::\d{1,5})?$/;
/** Schemes of the web, and of pages that anyone can make. Their other forms of an origin prove nothing. */
const NOT_OF_AN_APP: ReadonlySet<string> = new Set(
  "http https ws wss ftp file data blob filesystem javascript vbscript about view-source null mailto tel urn".split(
    " ",
  ),
);

/** The origins that an application allows. `has` decides; a loop sees only the listed origins. */
export class PageOrigins extends Set<string> {
  /** @param allowsLoopback also allows every loopback origin of this machine, listed or not: for `sallyport dev` only */
  constructor(
    listed: Iterable<string>,
    private readonly allowsLoopback: boolean,
  ) {
    super(listed);
  }

  /** Tells whether the Origin of a request is listed, by itself or by a wildcard that stands for one label. */
  override has(origin: string): boolean {
    if (isWildcard(origin)) return false;
    return super.has(origin) || this.#hasWildcard(origin) || (this.allowsLoopback && LOOPBACK.test(origin));
  }

  #hasWildcard(origin: string): boolean {
    const [, scheme, rest] = LABEL.exec(origin) ?? [];
    return scheme !== undefined && super.has(`${scheme}*${rest}`);
  }
}

export function isWildcard(origin: string): boolean {
  return origin.includes("*");
}

/**
 * Tells whether an application may list the origin: one of the web as browsers send it (RFC 6454), with `*` for its first
 * label, or that of an app or extension, such as `tauri://localhost`.
 */
export function isAllowable(origin: string): boolean {
  const scheme = OWN_SCHEME.exec(origin)?.[1];
  if (scheme !== undefined && !NOT_OF_AN_APP.has(scheme)) return true;
  if (isWildcard(origin) && !WILDCARD.test(origin)) return false;
  const url = URL.canParse(origin) ? new URL(origin) : null;
  return (url?.protocol === "https:" || url?.protocol === "http:") && url.origin === origin;
}
