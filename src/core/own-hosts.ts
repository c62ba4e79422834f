/**
 * The hosts at which this instance answers: that of the public URL, which serves every tenant, and those of single
 * tenants. A tenant's host counts as the instance's own only for that tenant, because its owner may host other pages there.
 */
export class OwnHosts {
  /** Maps each host, without its default port, to its tenant's slug; null for the public URL. */
  readonly #slugs = new Map<string, string | null>();
  readonly #scheme: "http:" | "https:";
  readonly #hasTenants: boolean;

  /** @param tenantHosts maps a host (with port) to a tenant's slug */
  constructor(
    readonly publicUrl: string,
    tenantHosts: ReadonlyMap<string, string>,
  ) {
    const url = new URL(publicUrl);
    this.#scheme = url.protocol === "https:" ? "https:" : "http:";
    this.#hasTenants = tenantHosts.size > 0;
    this.#slugs.set(url.host, null);
    // On a developer's machine, all loopback names mean the same host.
    if (LOOPBACK.includes(url.hostname)) {
      for (const name of LOOPBACK) this.#slugs.set(url.port ? `${name}:${url.port}` : name, null);
    }
    for (const [host, slug] of tenantHosts) this.#slugs.set(normalHost(host, this.#scheme) ?? host, slug);
  }

  /** Whether some host serves a single tenant. */
  get hasTenants(): boolean {
    return this.#hasTenants;
  }

  get isSecure(): boolean {
    return this.#scheme === "https:";
  }

  /** Returns the tenant of a Host header, null for the public URL's host, or undefined for a foreign host. */
  slugOf(host: string): string | null | undefined {
    const slug = this.#slugs.get(host);
    if (slug !== undefined) return slug;
    const normal = normalHost(host, this.#scheme);
    return normal === null ? undefined : this.#slugs.get(normal);
  }

  /** Tells whether two Host values name the same host and port. */
  areSame(a: string, b: string): boolean {
    const normal = normalHost(a, this.#scheme);
    return a === b || (normal !== null && normal === normalHost(b, this.#scheme));
  }

  /**
   * Tells whether an Origin is that of this instance's own pages for the tenant. Browsers send an origin in one form, so
   * only the last dot of a name may differ.
   */
  isOwnOrigin(origin: string, tenantSlug: string): boolean {
    const start = `${this.#scheme}//`;
    if (!origin.startsWith(start)) return false;
    const host = origin.slice(start.length);
    const slug = this.#slugs.get(host.replace(/\.(?=:\d+$|$)/, ""));
    return slug === null || slug === tenantSlug;
  }
}

/** Returns a host without its port. */
export function hostnameOf(host: string): string {
  return host.replace(/:\d+$/, "");
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const HOST = /^(\[[0-9a-f:.]+\]|[^[\]:/?#@\\\s,]*[^[\]:/?#@\\\s,.])\.?(?::(\d*))?$/;

/**
 * Returns the form in which hosts compare (RFC 9110 section 4.2.3): lower case and without the default port, also without
 * the dot that ends an absolute domain name. Returns null unless this is a host with an optional port.
 */
function normalHost(host: string, scheme: "http:" | "https:"): string | null {
  const match = HOST.exec(host.toLowerCase());
  if (!match?.[1]) return null;
  const [, name, port = ""] = match;
  return port === "" || port === (scheme === "https:" ? "443" : "80") ? name : `${name}:${port}`;
}
