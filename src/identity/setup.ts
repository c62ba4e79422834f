import { AppError } from "../core/errors.ts";
import { listApplications } from "./applications/public.ts";
import type { Identity } from "./identity.ts";
import { findTenantBySlug } from "./tenants/public.ts";
import { DEFAULT_TENANT_SLUG } from "./tenants/tenant.ts";

/** The contents of a new instance. The secret key is shown once and not stored. */
export interface FirstSetup {
  tenantId: string;
  /** The default application. It signs RS256 and serves requests that name no application. */
  defaultApplicationId: string;
  /** The second application. It signs EdDSA. */
  applicationId: string;
  /** A key of the default application with scope `admin`. */
  secretKey: string;
}

export async function isSetUp(identity: Pick<Identity, "storage">): Promise<boolean> {
  return (await findTenantBySlug(identity.storage.read, DEFAULT_TENANT_SLUG)) !== undefined;
}

/**
 * Creates the default tenant, its two applications and one secret key. The default application signs RS256, which every JWT
 * library can verify. The key belongs to it, and requests that name no application use it, so a first token, the key and an SDK
 * with this id all fit together. The second application signs EdDSA.
 */
export async function setUp(
  identity: Pick<Identity, "apiKeys" | "applications" | "clock" | "directory" | "keyring" | "storage">,
  options: {
    origins: string[];
    /** The sign-in methods of the default application, instead of the usual ones. */
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

/** Returns the result of {@link setUp} with a new secret key in place of the lost one. @throws AppError `not_found` */
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
