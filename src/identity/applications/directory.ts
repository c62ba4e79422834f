import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { parseId } from "../../core/ids.ts";
import type { OwnHosts } from "../../core/own-hosts.ts";
import type { TenantsTable } from "../../storage/schema.ts";
import type { Storage } from "../../storage/storage.ts";
import { issuedBefore } from "../revocations/public.ts";
import { findTenant, findTenantBySlug } from "../tenants/public.ts";
import { SLUG } from "../tenants/slug.ts";
import { DEFAULT_TENANT_SLUG, type Tenant } from "../tenants/tenant.ts";
import { type Application, toApplication } from "./application.ts";
import { PageOrigins } from "./page-origins.ts";
import { allowedOrigins, findApplication, listApplications } from "./store.ts";

/** The parts of a request, besides its credential, that name an application. */
export interface ApplicationHints {
  /** The value of x-application-id. */
  header: string | null;
  /** The slug in `/t/<slug>/…`, or the tenant that is configured for the Host. */
  tenantSlug: string | null;
}

/** How long a cached row is trusted. Another process (a local command, another node) may change it. */
const TRUSTED_FOR = 2_000;

/** Reads tenants and applications through a short-lived cache: every request needs them, and they rarely change. */
export class Directory {
  readonly #tenants = new Map<string, { until: number; value: Tenant }>();
  readonly #slugs = new Map<string, string>();
  readonly #applications = new Map<string, { until: number; value: Application }>();
  readonly #origins = new Map<string, { until: number; value: ReadonlySet<string> }>();

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    readonly hosts: OwnHosts,
    /** Whether every page on this machine may call. Only `sallyport dev` sets it. */
    private readonly allowsLoopbackPages = false,
  ) {}

  /** Clears the cache. Called after this process makes a change. */
  forget(): void {
    this.#tenants.clear();
    this.#slugs.clear();
    this.#applications.clear();
    this.#origins.clear();
  }

  /** The default tenant's issuer, without a trailing slash. */
  get publicUrl(): string {
    return this.hosts.publicUrl;
  }

  issuerOf(slug: string): string {
    return slug === DEFAULT_TENANT_SLUG ? this.publicUrl : `${this.publicUrl}/t/${slug}`;
  }

  async tenant(id: string): Promise<Tenant | null> {
    const cached = this.#tenants.get(id);
    if (cached && cached.until > this.clock.now()) return cached.value;
    const row = await findTenant(this.storage.read, id);
    return row ? this.#keepTenant(row) : null;
  }

  async tenantBySlug(slug: string): Promise<Tenant | null> {
    const known = this.#slugs.get(slug);
    if (known !== undefined) return this.tenant(known);
    // Text that is not a slug belongs to no tenant. It must not reach PostgreSQL, which refuses a NUL.
    if (!SLUG.test(slug)) return null;
    const row = await findTenantBySlug(this.storage.read, slug);
    return row ? this.#keepTenant(row) : null;
  }

  async application(id: string): Promise<Application | null> {
    const cached = this.#applications.get(id);
    if (cached && cached.until > this.clock.now()) return cached.value;
    const row = await findApplication(this.storage.read, id);
    const tenant = row ? await this.tenant(row.tenant_id) : null;
    if (!row || !tenant) return null;
    const tokensFrom = await issuedBefore(this.storage.read, tenant.id, [row.id, tenant.id], this.clock.now());
    const value = toApplication(row, tenant, { tokensFrom, pagesOf: (origins) => this.#pages(origins) });
    this.#applications.set(id, { until: this.clock.now() + TRUSTED_FOR, value });
    return value;
  }

  /** Returns the tenant's default application, or else its first: for acts that no request started. */
  async anyApplication(tenantId: string): Promise<Application | null> {
    const tenant = await this.tenant(tenantId);
    const id = tenant?.defaultApplicationId ?? (await listApplications(this.storage.read, tenantId))[0]?.id;
    return id === undefined ? null : this.application(id);
  }

  /** Returns the cached application without a promise, for the hot path. */
  cachedApplication(id: string): Application | undefined {
    const cached = this.#applications.get(id);
    return cached && cached.until > this.clock.now() ? cached.value : undefined;
  }

  /** Returns all origins that a tenant's applications allow, for preflight requests. null means every tenant. */
  async origins(tenantSlug: string | null): Promise<ReadonlySet<string>> {
    const key = tenantSlug ?? "";
    const cached = this.#origins.get(key);
    if (cached && cached.until > this.clock.now()) return cached.value;
    const tenant = tenantSlug === null ? null : await this.tenantBySlug(tenantSlug);
    if (tenantSlug !== null && tenant === null) return new Set();
    const value = this.#pages(await allowedOrigins(this.storage.read, tenant?.id ?? null));
    this.#origins.set(key, { until: this.clock.now() + TRUSTED_FOR, value });
    return value;
  }

  /**
   * Returns the application that a request without a credential names.
   * @throws AppError `unknown_application` unless the given id is an enabled application's; `not_found` for a tenant that does
   * not exist
   */
  async resolve(hints: ApplicationHints): Promise<Application> {
    if (hints.header !== null) {
      const id = parseId("application", hints.header);
      const application = id === null ? null : await this.application(id);
      if (!application || application.disabled || application.tenant.disabled) throw unknownApplication(hints.header);
      // The path or Host names another tenant than the header does. Neither may win silently.
      if (hints.tenantSlug !== null && application.tenant.slug !== hints.tenantSlug) {
        throw unknownApplication(hints.header);
      }
      return application;
    }
    const tenant = await this.tenantBySlug(hints.tenantSlug ?? DEFAULT_TENANT_SLUG);
    if (!tenant || tenant.disabled || tenant.defaultApplicationId === null) throw new AppError("not_found");
    const application = await this.application(tenant.defaultApplicationId);
    if (!application || application.disabled) throw new AppError("unknown_application");
    return application;
  }

  #pages(listed: string[]): PageOrigins {
    return new PageOrigins(listed, this.allowsLoopbackPages);
  }

  #keepTenant(row: TenantsTable): Tenant {
    const value: Tenant = {
      id: row.id,
      slug: row.slug,
      name: row.name,
      defaultApplicationId: row.default_application_id,
      disabled: row.disabled_at !== null,
      issuer: this.issuerOf(row.slug),
      language: row.language,
      mailFrom: row.mail_from,
      mailReplyTo: row.mail_reply_to,
      noticesOff: new Set(JSON.parse(row.notices_off) as string[]),
    };
    this.#tenants.set(row.id, { until: this.clock.now() + TRUSTED_FOR, value });
    this.#slugs.set(row.slug, row.id);
    return value;
  }
}

function unknownApplication(given: string): AppError {
  const reason = `${given.slice(0, 64)} is not an enabled application here`;
  return new AppError("unknown_application", { details: [{ path: "x-application-id", reason }] });
}
