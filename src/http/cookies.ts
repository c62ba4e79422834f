import { isUuid, shortId } from "../core/ids.ts";
import type { Application } from "../identity/applications/application.ts";
import type { CookieChange, PresentedCookies } from "../rpc/call.ts";

/**
 * Session cookies. Under https they carry prefixes that a sibling host cannot forge: `__Host-` for the access cookie and
 * the device cookie (path `/`, no domain), and `__Secure-` for the refresh cookie, whose path is narrower. Except for the default
 * application, a name ends with the application's short id, so that two applications on one host do not overwrite each
 * other's cookies.
 */
export class Cookies {
  constructor(private readonly secure: boolean) {}

  read(header: string | null, application: Application): PresentedCookies {
    if (header === null) return { access: [], refresh: [], trustedDevice: [], device: null, asked: [] };
    return {
      access: cookieValues(header, this.#accessName(application)),
      refresh: cookieValues(header, this.#refreshName(application)),
      trustedDevice: cookieValues(header, this.#trustedDeviceName(application)),
      device: cookieValues(header, this.#deviceName(application))[0] ?? null,
      asked: parseAsked(cookieValues(header, this.#askedName(application))[0] ?? null),
    };
  }

  /**
   * Returns Set-Cookie values that remove what the browser holds under the names of this change, and {@link render} does not
   * overwrite: cookies of an earlier path, of a wider domain, and of the time before https. They come before those of
   * `render`, because some browsers take a cookie of the host's own domain for the host's cookie (RFC 6265 section 5.3).
   * @param at the path and the host name that the browser requested
   */
  strays(change: CookieChange, prefix: string, header: string | null, at: { path: string; host: string }): string[] {
    if (header === null || (change.kind !== "set" && change.kind !== "clear")) return [];
    const { application } = change;
    const kept = new Map([
      [this.#accessName(application), "/"],
      [this.#refreshName(application), prefix + application.refreshCookiePath],
    ]);
    const removed: string[] = [];
    for (const [name, path] of kept) {
      // Browsers refuse a `__Host-` cookie with a path or a domain, so no such stray exists.
      if (name.startsWith("__Host-") || cookieValues(header, name).length < 2) continue;
      const own = this.#cookie(name, "", path, 0);
      removed.push(...this.#removals(name, pathsTo(at.path, path), at.host).filter((cookie) => cookie !== own));
    }
    for (const [name, path] of kept) {
      const bare = name.replace(PREFIX, "");
      if (bare === name || cookieValues(header, bare).length === 0) continue;
      // Nothing reads these names any more, and they were set without a domain.
      removed.push(...pathsTo(at.path, path).map((old) => this.#cookie(bare, "", old, 0)));
    }
    let room = MAX_REMOVAL_BYTES;
    return removed.filter((cookie) => {
      room -= cookie.length;
      return room >= 0;
    });
  }

  /** Returns the removals of a name at each path, for the host itself and for its domains. */
  #removals(name: string, paths: readonly string[], host: string): string[] {
    const domains = ["", ...domainsOf(host).map((domain) => `; Domain=${domain}`)];
    return paths.flatMap((path) => domains.map((domain) => this.#cookie(name, "", path, 0) + domain));
  }

  /**
   * Returns Set-Cookie values.
   * @param prefix the part of the path before the route (`/t/acme`, or nothing). The browser will refresh under the
   * same prefix, and would not send a cookie whose path lies outside it (RFC 6265 section 5.1.4)
   */
  render(change: CookieChange, prefix: string): string[] {
    const { application } = change;
    const path = prefix + application.refreshCookiePath;
    if (change.kind === "trusted-device") {
      return [this.#cookie(this.#trustedDeviceName(application), change.secret, path, change.maxAge)];
    }
    if (change.kind === "device") {
      return [this.#cookie(this.#deviceName(application), change.secret, "/", change.maxAge)];
    }
    if (change.kind === "asked") {
      return [this.#cookie(this.#askedName(application), formatAsked(change.flowIds), "/", change.maxAge)];
    }
    if (change.kind === "clear") {
      return [
        this.#cookie(this.#accessName(application), "", "/", 0),
        this.#cookie(this.#refreshName(application), "", path, 0),
      ];
    }
    const cookies = [this.#cookie(this.#refreshName(application), change.refreshToken, path, change.refreshMaxAge)];
    if (change.accessToken !== null) {
      cookies.unshift(this.#cookie(this.#accessName(application), change.accessToken, "/", change.accessMaxAge));
    }
    return cookies;
  }

  #accessName(application: Application): string {
    return `${this.secure ? "__Host-" : ""}sallyport_at${suffix(application)}`;
  }

  #refreshName(application: Application): string {
    return `${this.secure ? "__Secure-" : ""}sallyport_rt${suffix(application)}`;
  }

  #trustedDeviceName(application: Application): string {
    return `${this.secure ? "__Secure-" : ""}sallyport_td${suffix(application)}`;
  }

  /**
   * Belongs to the tenant, because the accounts do. Two tenants on one host have two cookies, so that no secret follows a
   * browser from one to the other.
   */
  #deviceName({ tenant }: Application): string {
    const suffix = tenant.slug === "default" ? "" : `_${shortId(tenant.id)}`;
    return `${this.secure ? "__Host-" : ""}sallyport_dv${suffix}`;
  }

  /** `__Host-`: a sibling host that could set it would make a victim's browser accept the attacker's own link. */
  #askedName(application: Application): string {
    return `${this.secure ? "__Host-" : ""}sallyport_ma${suffix(application)}`;
  }

  #cookie(name: string, value: string, path: string, maxAge: number): string {
    const secure = this.secure ? "; Secure" : "";
    return `${name}=${value}; Path=${path}; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure}`;
  }
}

/** The flows that the cookie remembers: a user who asks again may still open the mail that came first. */
const MAX_ASKED = 4;

/** 22 characters of base64url for each UUID. */
function formatAsked(flowIds: readonly string[]): string {
  return flowIds
    .slice(-MAX_ASKED)
    .map((id) => Buffer.from(id.replaceAll("-", ""), "hex").toString("base64url"))
    .join(".");
}

function parseAsked(value: string | null): string[] {
  const parts = value?.split(".").slice(-MAX_ASKED) ?? [];
  return parts
    .map((part) => Buffer.from(part, "base64url").toString("hex"))
    .map((hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"))
    .filter(isUuid);
}

/**
 * Returns nothing for the default tenant's default application. Another tenant's default application may share its
 * host.
 */
function suffix(application: Application): string {
  return application.isDefault && application.tenant.slug === "default" ? "" : `_${shortId(application.id)}`;
}

/** The most values of one name that are tried. A sibling host can plant dozens. */
const MAX_CANDIDATES = 4;

/** Returns the different values of a name, in the order of the header. */
function cookieValues(header: string, name: string): string[] {
  const values: string[] = [];
  let start = 0;
  while (start < header.length && values.length < MAX_CANDIDATES) {
    let end = header.indexOf(";", start);
    if (end === -1) end = header.length;
    while (header[start] === " ") start++;
    if (header.startsWith(name, start) && header[start + name.length] === "=") {
      const value = header.slice(start + name.length + 1, end).trim();
      if (value !== "" && !values.includes(value)) values.push(value);
    }
    start = end + 1;
  }
  return values;
}

const PREFIX = /^__(Host|Secure)-/;

/** The most folders and domains for which a stray is removed, because each of them is a header of the answer. */
const MAX_FOLDERS = 6;
const MAX_DOMAINS = 3;
/** A proxy answers 502 if the headers exceed its buffer, which has 4 kB in nginx by default. The new tokens need half of it. */
const MAX_REMOVAL_BYTES = 1_600;

/** Returns the cookie's own path, and then every path whose cookie the browser would send with this request. */
function pathsTo(requested: string, own: string): string[] {
  const paths = new Set<string>([own, "/"]);
  for (const path of [requested, own]) {
    const folders = path.split("/").slice(1, MAX_FOLDERS + 1);
    for (let depth = 1; depth <= folders.length; depth++) paths.add(`/${folders.slice(0, depth).join("/")}`);
  }
  // Leaves out a path with characters that could end the attribute or the header.
  return [...paths].filter((path) => /^[\w./~%-]+$/.test(path)).slice(0, 2 * MAX_FOLDERS);
}

/** Returns the domains of a host's cookies that are not the host's alone. An address and a single label have none. */
function domainsOf(host: string): string[] {
  const labels = host.toLowerCase().split(".");
  if (!/^[a-z0-9.-]+$/.test(host.toLowerCase()) || /^[\d.]+$/.test(host)) return [];
  return labels
    .map((_label, index) => labels.slice(index).join("."))
    .filter((domain) => domain.includes("."))
    .slice(0, MAX_DOMAINS);
}
