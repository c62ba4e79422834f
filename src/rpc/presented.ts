import type { Identity } from "../identity/identity.ts";
import { bearerToken } from "./bearer.ts";
import type { Call } from "./call.ts";
import type { Admitted } from "./gate.ts";

/**
 * Returns the session that a caller presents while signing in, by cookies or by a Bearer token, expired or not. It ends
 * when the new session begins. An invalid credential names no session, and never fails the sign-in.
 */
export async function presentedSession(
  identity: Pick<Identity, "accessTokens" | "refreshService">,
  call: Call,
  { act }: Admitted,
): Promise<string | null> {
  const cookies = call.cookies(act.application);
  const bearer = bearerToken(call.authorization ?? "");
  const refresh = cookies.refresh === null ? null : await identity.refreshService.sessionOf(cookies.refresh);
  if (refresh) return refresh.sid;
  const access = bearer ?? cookies.access;
  if (access === null || access.startsWith("sally_")) return null;
  try {
    return (await identity.accessTokens.verify(access, { expired: true })).sid;
  } catch {
    return null;
  }
}
