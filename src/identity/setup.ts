import { AppError } from "../core/errors.ts";
import { createApplication, createTenantWithDefault } from "./applications/administration.ts";
import { listApplications } from "./applications/store.ts";
import type { Identity } from "./identity.ts";
import { findTenantBySlug } from "./tenants/store.ts";
import { DEFAULT_TENANT_SLUG } from "./tenants/tenant.ts";

/** What a new instance begins with. The secret key is shown once and kept by nobody. */
export interface FirstSetup {
  tenantId: string;
  defaultApplicationId: string;
  applicationId: string;
  secretKey: string;
}

export async function isSetUp(identity: Identity): Promise<boolean> {
  return (await findTenantBySlug(identity.storage.read, DEFAULT_TENANT_SLUG)) !== undefined;
}

/**
 * The default tenant with its two applications: the default one signs RS256, which every JWT library verifies; the first of
 * one's own signs EdDSA, and its id is what the SDKs are given.
 */
export async function setUp(identity: Identity, options: { origins: string[] }): Promise<FirstSetup> {
  const { storage, clock, directory, apiKeys, keyring } = identity;
  const made = await storage.write(async (tx) => {
    const now = clock.now();
    const { tenant, application } = await createTenantWithDefault(tx, now, {
      slug: DEFAULT_TENANT_SLUG,
      name: "Default",
    });
    const own = await createApplication(tx, now, tenant.id, { name: "My application", origins: options.origins });
    const key = await apiKeys.createSecret(tx, {
      tenantId: tenant.id,
      applicationId: own.id,
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

/** What {@link setUp} answered, with a new secret key in place of the one that was lost. @throws AppError `not_found` */
export async function renewCredentials(identity: Identity): Promise<FirstSetup> {
  const { storage, apiKeys } = identity;
  return storage.write(async (tx) => {
    const tenant = await findTenantBySlug(tx, DEFAULT_TENANT_SLUG);
    const applications = tenant ? await listApplications(tx, tenant.id) : [];
    const own = applications.find((row) => row.id !== tenant?.default_application_id);
    if (!tenant?.default_application_id || !own) throw new AppError("not_found");
    const { secret } = await apiKeys.createSecret(tx, {
      tenantId: tenant.id,
      applicationId: own.id,
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
