import { type Clock, SECOND } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Directory } from "../applications/directory.ts";
import { isRevoked } from "../revocations/public.ts";
import type { AccessToken, AccessTokens, ClientToken } from "../sessions/access-tokens.ts";
import { findSession, isLiveSession } from "../sessions/public.ts";
import type { Clients } from "./clients.ts";

/** The services that a lookup needs. */
interface Parts {
  accessTokens: AccessTokens;
  clients: Clients;
  clock: Clock;
  directory: Directory;
  storage: Storage;
}

/** The tokens that the caller may inspect: all of a tenant, or one application's. */
export interface Reach {
  tenantId: string;
  applicationId: string | null;
}

/**
 * Returns the current state of a token (RFC 7662 section 2.2), or null if it is not active for any reason: invalid, for another
 * purpose (refresh, MFA), expired, revoked, or out of the caller's reach.
 */
export async function introspect(identity: Parts, token: string, reach: Reach) {
  const verified = await read(identity, token);
  if (verified === null) return null;
  const application = await identity.directory.application(verified.applicationId);
  if (!application || application.tenant.id !== reach.tenantId) return null;
  if (reach.applicationId !== null && reach.applicationId !== application.id) return null;
  const common = {
    active: true,
    client_id: application.id,
    token_type: "Bearer",
    iss: application.tenant.issuer,
    sub: verified.sub,
    aud: verified.audience,
    exp: verified.expiresAt,
    iat: verified.issuedAt,
    jti: verified.jti,
    ...(verified.scope === "" ? {} : { scope: verified.scope }),
  };
  if (!("sid" in verified)) return (await identity.clients.live(verified)) === null ? null : common;
  if (application.disabled || application.tenant.disabled) return null;
  const { read: at } = identity.storage;
  const now = identity.clock.now();
  const session = await findSession(at, verified.sid);
  const isAbout = session?.user_id === verified.sub && session.application_id === application.id;
  if (!session || !isAbout || !isLiveSession(session, now)) return null;
  if (await isRevoked(at, reach.tenantId, verified.jti, verified.issuedAt * SECOND, now)) return null;
  return { ...common, sid: verified.sid, auth_time: verified.authTime, aal: session.aal };
}

async function read(identity: Parts, token: string): Promise<AccessToken | ClientToken | null> {
  try {
    return await identity.accessTokens.verifyAny(token);
  } catch (error) {
    if (error instanceof AppError && error.status === 401) return null;
    throw error;
  }
}
