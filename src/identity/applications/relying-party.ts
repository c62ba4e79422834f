import type { Application } from "./application.ts";
import type { Directory } from "./directory.ts";

/** Whose passkeys they are, and the pages that may ask for them. */
export interface RelyingParty {
  /** The RP ID: a domain. */
  id: string;
  /** What people read when they are asked. */
  name: string;
  /** Only pages of the application and of the appliance may answer for it; the origin must be exact. */
  allows(origin: string): boolean;
}

/** From configuration, never from a request: whoever names the domain could ask for another one's passkeys. */
export function relyingPartyOf(directory: Directory, application: Application): RelyingParty {
  const { publicUrl } = directory;
  const own = new URL(publicUrl).origin;
  return {
    id: relyingPartyId(application.passkeyRpId, publicUrl),
    name: application.name,
    allows: (origin) => origin === own || application.origins.has(origin),
  };
}

/** The domain that an application's passkeys are for. @param configured null: the public URL's host */
export function relyingPartyId(configured: string | null, publicUrl: string): string {
  return configured ?? new URL(publicUrl).hostname;
}

/** Whether browsers let a page there use the domain's passkeys by itself (WebAuthn level 3, section 5.1.3, step 8). */
export function isWithinDomain(origin: string, rpId: string): boolean {
  const { hostname } = new URL(origin);
  return hostname === rpId || hostname.endsWith(`.${rpId}`);
}
