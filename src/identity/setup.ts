import { AppError } from "../core/errors.ts";
import { listApplications } from "./applications/public.ts";
import type { Identity } from "./identity.ts";
import { findTenantBySlug } from "./tenants/public.ts";
import { DEFAULT_TENANT_SLUG } from "./tenants/tenant.ts";

/** What a new instance begins with. The secret key is shown once and stored nowhere. */
export interface FirstSetup {
  tenantId: string;
  /** Signs RS256. Requests that name no application mean this one. */
  defaultApplicationId: string;
  /** Signs EdDSA. */
  applicationId: string;
  /** Of the default application, with scope `admin`. */
  secretKey: string;
}

export async function isSetUp(identity: Pick<Identity, "storage">): Promise<boolean> {
  return (await findTenantBySlug(identity.storage.read, DEFAULT_TENANT_SLUG)) !== undefined;
}

/**
 * Makes the default tenant, its two applications and one secret key. The default application signs RS256, which every JWT
 * library verifies, and the key is this application's: requests that name no application mean it, so a first token, the
 * key and an SDK that is configured with this id all fit together. The second application signs EdDSA.
 */
export async function setUp(
  identity: Pick<Identity, "apiKeys" | "applications" | "clock" | "directory" | "keyring" | "storage">,
  options: {
    origins: string[];
    /** Of the default application, in place of the usual ones. */
    signInMethods?: string[];
  },
): Promise<FirstSetup> {
  const { storage, clock, directory, applications, apiKeys, keyring } = identity;
  const made = await storage.write(async (tx) => {
    const now = clock.now();
    const { tenant, application } = await applications.createTenantWithDefault(tx, now, {
      slug: DEFAULT_TENANT_SLUG,
      name: "Default",
    });
    const { signInMethods } = options;
    if (signInMethods) await applications.change(tx, now, application, { sign_in_methods: signInMethods });
    const own = await applications.create(tx, now, tenant.id, { name: "My application", origins: options.origins });
    const key = await apiKeys.createSecret(tx, {
      tenantId: tenant.id,
      applicationId: application.id,
      name: "First key",
      scopes: ["admin"],
    });
    return {
      tenantId: tenant.id,
      defaultApplicationId: application.id,
      applicationId: own.id,
      secretKey: key.secret,
    };
  });
  directory.forget();
  await keyring.signer(made.tenantId, "RS256");
  await keyring.signer(made.tenantId, "EdDSA");
  return made;
}

/** Returns what {@link setUp} returned, with a new secret key in place of the lost one. @throws AppError `not_found` */
export async function renewCredentials(identity: Pick<Identity, "apiKeys" | "storage">): Promise<FirstSetup> {
  const { storage, apiKeys } = identity;
  return storage.write(async (tx) => {
    const tenant = await findTenantBySlug(tx, DEFAULT_TENANT_SLUG);
    const applications = tenant ? await listApplications(tx, tenant.id) : [];
    const own = applications.find((row) => row.id !== tenant?.default_application_id);
    if (!tenant?.default_application_id || !own) throw new AppError("not_found");
    const { secret } = await apiKeys.createSecret(tx, {
      tenantId: tenant.id,
      applicationId: tenant.default_application_id,
      name: "Another first key",
      scopes: ["admin"],
    });
    return {
      tenantId: tenant.id,
      defaultApplicationId: tenant.default_application_id,
      applicationId: own.id,
      secretKey: secret,
    };
  });
}
