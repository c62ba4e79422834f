import { MINUTE, SECOND } from "../../core/clock.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { lineOfText } from "../../core/text.ts";
import * as z from "../../core/zod.ts";
import type { ApplicationsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { placeOf, systemAct } from "../audit/act.ts";
import { createTenant } from "../tenants/administration.ts";
import { setDefaultApplication } from "../tenants/public.ts";
import { isAllowable } from "./page-origins.ts";
import { revokeTokens } from "./revoke-tokens.ts";
import { insertApplication, keepTokenLife, updateApplication } from "./store.ts";

const DAY = 86_400;

const origin = z
  .string()
  .max(300)
  .refine(
    isAllowable,
    "must be an origin such as https://app.example.com, https://*.example.com or tauri://localhost, without a path",
  );

const applicationSettings = z.strictObject({
  name: lineOfText(100),
  type: z.enum(["spa", "web", "native", "m2m"]),
  algorithm: z
    .enum(["EdDSA", "RS256", "ES256"])
    .describe("RS256, which every library verifies, takes five times the work of a refresh by EdDSA."),
  origins: z.array(origin).max(100),
  audiences: z.array(z.string().min(1).max(255)).max(20),
  sign_up: z.enum(["immediate", "verified", "closed"]),
  sign_in_methods: z.array(z.string()).transform(unique),
  mfa: z.enum(["off", "optional", "required"]),
  mfa_grace: z
    .int()
    .min(0)
    .max(90 * DAY),
  mfa_remember: z
    .int()
    .min(0)
    .max(90 * DAY),
  passkey_rp_id: z.string().refine(isDomain, "must be a domain such as example.com, without a port").nullable(),
  home_url: z.string().max(2000).refine(isPageUrl, "must be the http(s) address of a page").nullable(),
  access_token_ttl: z.int().min(10).max(DAY),
  refresh_idle_ttl: z
    .int()
    .min(60)
    .max(400 * DAY),
  refresh_absolute_ttl: z
    .int()
    .min(60)
    .max(400 * DAY),
  refresh_cookie_path: z.string().regex(/^\/[A-Za-z0-9/_-]*$/, "must be a path such as /v1/auth"),
});
export type ApplicationSettings = z.output<typeof applicationSettings>;

/** Access tokens live 15 minutes. Sessions end after 30 idle days, or after 180 days in all. */
const applicationDefaults: Omit<ApplicationSettings, "name"> = {
  type: "web",
  algorithm: "EdDSA",
  origins: [],
  audiences: [],
  sign_up: "immediate",
  sign_in_methods: ["password", "passkey"],
  mfa: "optional",
  mfa_grace: 0,
  mfa_remember: 0,
  passkey_rp_id: null,
  home_url: null,
  access_token_ttl: 900,
  refresh_idle_ttl: 30 * DAY,
  refresh_absolute_ttl: 180 * DAY,
  refresh_cookie_path: "/v1/auth",
};

/** Creates and changes applications. */
export class ApplicationAdministration {
  readonly #schema: z.ZodType<ApplicationSettings>;

  /**
   * @param signInMethods every method of a feature: applications may allow only these
   * @param keepKeys keeps the keys of tokens whose lifetime was raised
   */
  constructor(
    signInMethods: readonly string[],
    private readonly keepKeys: (tx: Executor, tenantId: string, now: number, life: number) => Promise<void>,
  ) {
    this.#schema = applicationSettings.extend({ sign_in_methods: z.array(z.enum(signInMethods)).transform(unique) });
  }

  async create(
    tx: Executor,
    now: number,
    tenantId: string,
    input: Partial<ApplicationSettings> & { name: string },
  ): Promise<ApplicationsTable> {
    const settings = this.#check({ ...applicationDefaults, ...input });
    const row: ApplicationsTable = {
      ...toColumns(settings),
      id: newId(now),
      tenant_id: tenantId,
      redirect_uris: "[]",
      created_at: now,
      updated_at: now,
      disabled_at: null,
      mfa_required_at: settings.mfa === "required" ? now : null,
      tokens_until_at: 0,
      mfa_asked_at: null,
    };
    await insertApplication(tx, row);
    const target = { kind: "application", id: row.id };
    await systemAct(placeOf(tenantId)).audit(tx, now, "application.created", target, { name: row.name });
    return row;
  }

  /** Creates a tenant with its default application, which signs RS256 so that every JWT library can verify its tokens. */
  async createTenantWithDefault(tx: Executor, now: number, input: { slug: string; name: string }) {
    const tenant = await createTenant(tx, now, input);
    const application = await this.create(tx, now, tenant.id, { name: "Default", algorithm: "RS256" });
    await setDefaultApplication(tx, tenant.id, application.id, now);
    return { tenant: { ...tenant, default_application_id: application.id }, application };
  }

  /** Changes an application's settings. @throws AppError `invalid_input` with the field, `not_found` */
  async change(
    tx: Executor,
    now: number,
    current: ApplicationsTable,
    changes: Partial<ApplicationSettings>,
  ): Promise<ApplicationsTable> {
    const settings = this.#check({ ...fromColumns(current), ...changes });
    const requiredAt = settings.mfa === "required" ? (current.mfa_required_at ?? now) : null;
    const askedAt = current.mfa === "off" && settings.mfa !== "off" ? now : current.mfa_asked_at;
    const times = { mfa_required_at: requiredAt, mfa_asked_at: askedAt, updated_at: now };
    const columns = { ...toColumns(settings), ...times };
    await keepTokenLife(tx, current.id, now);
    const row = await updateApplication(tx, current.id, columns);
    if (!row) throw new AppError("not_found");
    await this.keepKeys(tx, current.tenant_id, now, row.access_token_ttl * SECOND + MINUTE);
    const target = { kind: "application", id: current.id };
    const fields = Object.keys(changes);
    await systemAct(placeOf(current.tenant_id)).audit(tx, now, "application.changed", target, { fields });
    return row;
  }

  /**
   * Disables or enables an application. A disabled application accepts no sign-in and no refresh, and verifiers refuse its
   * tokens. After it is enabled again its sessions continue, but verifiers still refuse its old access tokens. @returns the
   * resulting row; writes no audit entry when nothing changes
   * @throws AppError `not_found`
   */
  async setDisabled(
    tx: Executor,
    now: number,
    current: ApplicationsTable,
    disabled: boolean,
  ): Promise<ApplicationsTable> {
    if ((current.disabled_at !== null) === disabled) return current;
    const row = await updateApplication(tx, current.id, { disabled_at: disabled ? now : null, updated_at: now });
    if (!row) throw new AppError("not_found");
    if (disabled) {
      const { id, tenant_id: tenantId } = current;
      await revokeTokens(tx, now, { tenantId, applicationId: id, kind: "application", id });
    }
    const target = { kind: "application", id: current.id };
    const action = disabled ? "application.disabled" : "application.enabled";
    await systemAct(placeOf(current.tenant_id)).audit(tx, now, action, target);
    return row;
  }

  /** Makes this the application of requests that name none. @throws AppError `conflict` for a disabled application */
  async makeDefault(tx: Executor, now: number, current: ApplicationsTable): Promise<void> {
    if (current.disabled_at !== null) {
      throw new AppError("conflict", { message: "A disabled application cannot be the default one. Enable it first." });
    }
    await setDefaultApplication(tx, current.tenant_id, current.id, now);
    const act = systemAct(placeOf(current.tenant_id));
    const target = { kind: "tenant", id: current.tenant_id };
    await act.audit(tx, now, "tenant.default_changed", target, { application_id: current.id });
  }

  #check(input: unknown): ApplicationSettings {
    const parsed = this.#schema.safeParse(input);
    if (parsed.success && parsed.data.refresh_idle_ttl > parsed.data.refresh_absolute_ttl) {
      throw invalidField("refresh_idle_ttl", "must not be longer than refresh_absolute_ttl");
    }
    if (parsed.success) return parsed.data;
    throw new AppError("invalid_input", {
      details: parsed.error.issues.map((issue) => ({ path: issue.path.join("."), reason: issue.message })),
    });
  }
}

export function fromColumns(row: ApplicationsTable): ApplicationSettings {
  return {
    name: row.name,
    type: row.type,
    algorithm: row.algorithm as ApplicationSettings["algorithm"],
    origins: JSON.parse(row.origins) as string[],
    audiences: JSON.parse(row.audiences) as string[],
    sign_up: row.sign_up,
    sign_in_methods: JSON.parse(row.sign_in_methods) as string[],
    mfa: row.mfa,
    mfa_grace: row.mfa_grace,
    mfa_remember: row.mfa_remember,
    passkey_rp_id: row.passkey_rp_id,
    home_url: row.home_url,
    access_token_ttl: row.access_token_ttl,
    refresh_idle_ttl: row.refresh_idle_ttl,
    refresh_absolute_ttl: row.refresh_absolute_ttl,
    refresh_cookie_path: row.refresh_cookie_path,
  };
}

function toColumns(settings: ApplicationSettings) {
  return {
    ...settings,
    origins: JSON.stringify(settings.origins),
    audiences: JSON.stringify(settings.audiences),
    sign_in_methods: JSON.stringify(settings.sign_in_methods),
  };
}

function unique<T>(list: T[]): T[] {
  return [...new Set(list)];
}

/** Returns whether browsers accept this RP ID (WebAuthn level 3, section 5.1.3): a domain in lower-case ASCII. */
function isDomain(text: string): boolean {
  return (
    text.length <= 253 && /^(?:localhost|(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62})$/.test(text)
  );
}

/** Returns whether the text is safe as a link in pages and mails: no `javascript:`, no credentials. */
function isPageUrl(text: string): boolean {
  try {
    const url = new URL(text);
    return (url.protocol === "https:" || url.protocol === "http:") && url.username === "" && url.password === "";
  } catch {
    return false;
  }
}
