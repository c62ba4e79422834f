import type { Application } from "./application.ts";
import type { Directory } from "./directory.ts";

/** The owner of passkeys and the pages that may ask for them. */
export interface RelyingParty {
  /** The RP ID, which is a domain. */
  id: string;
  /** The name that the browser shows to the user. */
  name: string;
  /** Allows only pages of the application and of the appliance. The origin must match exactly. */
  allows(origin: string): boolean;
}

/**
 * Reads the domain from configuration, never from a request: a caller that chose the domain could ask for another site's
 * passkeys.
 */
export function relyingPartyOf(directory: Directory, application: Application): RelyingParty {
  const { hosts, publicUrl } = directory;
  return {
    id: relyingPartyId(application.passkeyRpId, publicUrl),
    name: application.name,
    allows: (origin) => hosts.isOwnOrigin(origin, application.tenant.slug) || application.origins.has(origin),
  };
}

/** Returns the domain of an application's passkeys. @param configured null: the public URL's host */
export function relyingPartyId(configured: string | null, publicUrl: string): string {
  return configured ?? new URL(publicUrl).hostname;
}

/**
 * Returns whether browsers let a page of this origin use the domain's passkeys without further files (WebAuthn level 3, section
 * 5.1.3, step 8).
 */
export function isWithinDomain(origin: string, rpId: string): boolean {
  const { hostname } = new URL(origin);
  return hostname === rpId || hostname.endsWith(`.${rpId}`);
}
