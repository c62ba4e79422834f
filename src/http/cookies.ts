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
    if (header === null) return { access: null, refresh: null, trustedDevice: null, device: null, asked: [] };
    return {
      access: cookieValue(header, this.#accessName(application)),
      refresh: cookieValue(header, this.#refreshName(application)),
      trustedDevice: cookieValue(header, this.#trustedDeviceName(application)),
      device: cookieValue(header, this.#deviceName(application)),
      asked: parseAsked(cookieValue(header, this.#askedName(application))),
    };
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

function cookieValue(header: string, name: string): string | null {
  let start = 0;
  while (start < header.length) {
    let end = header.indexOf(";", start);
    if (end === -1) end = header.length;
    while (header[start] === " ") start++;
    if (header.startsWith(name, start) && header[start + name.length] === "=") {
      const value = header.slice(start + name.length + 1, end).trim();
      return value === "" ? null : value;
    }
    start = end + 1;
  }
  return null;
}
