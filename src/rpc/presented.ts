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
  { act }: { act: Pick<Admitted["act"], "application"> },
): Promise<string | null> {
  const { access, refresh } = call.cookies(act.application);
  for (const token of refresh) {
    const session = await identity.refreshService.sessionOf(token);
    if (session) return session.sid;
  }
  const bearer = bearerToken(call.authorization ?? "");
  for (const token of bearer === null ? access : [bearer]) {
    if (token.startsWith("sally_")) continue;
    try {
      return (await identity.accessTokens.verify(token, { expired: true })).sid;
    } catch {
      // This token names no session.
    }
  }
  return null;
}
