import { AppError } from "../../core/errors.ts";
import type { Executor } from "../../storage/storage.ts";
import { lockUser } from "../users/public.ts";
import { findSession, isLiveSession, type SessionBundle } from "./store.ts";

/** A session that asks for a change, or, where `sid` is null, a flow of this user that needs none. */
type SessionRef = Pick<SessionBundle, "tenant_id" | "user_id"> & { sid: string | null };

/**
 * Holds the user's row until the transaction ends, and looks at the session again: a reset or an undo that has come in
 * between, from the person whose account it is, must not be followed by an act of the session that it ended.
 * @returns false once it has ended, or its user is disabled or gone
 */
export async function isLockedLive(tx: Executor, session: SessionRef, now: number): Promise<boolean> {
  const isThere = await lockUser(tx, session.tenant_id, session.user_id, now);
  if (!isThere || session.sid === null) return isThere;
  const current = await findSession(tx, session.sid);
  return current !== undefined && current.user_id === session.user_id && isLiveSession(current, now);
}

/** As {@link isLockedLive}. @throws AppError `token_revoked` */
export async function lockSession(tx: Executor, session: SessionRef, now: number): Promise<void> {
  if (!(await isLockedLive(tx, session, now))) throw new AppError("token_revoked");
}
