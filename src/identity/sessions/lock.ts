import { AppError } from "../../core/errors.ts";
import type { Executor } from "../../storage/storage.ts";
import { lockUser } from "../users/public.ts";
import { findSession, isLiveSession, type SessionBundle } from "./store.ts";

/** The session that asks for a change. If `sid` is null, a flow of this user asks, which needs no session. */
type SessionRef = Pick<SessionBundle, "tenant_id" | "user_id"> & { sid: string | null };

/**
 * Locks the user's row until the transaction ends, and reads the session again. The account's owner may have ended the session
 * meanwhile by a reset or an undo, and the session must not act after that.
 * @returns false if the session has ended, or its user is disabled or deleted
 */
export async function isLockedLive(tx: Executor, session: SessionRef, now: number): Promise<boolean> {
  const isThere = await lockUser(tx, session.tenant_id, session.user_id, now);
  if (!isThere || session.sid === null) return isThere;
  const current = await findSession(tx, session.sid);
  return current !== undefined && current.user_id === session.user_id && isLiveSession(current, now);
}

/** Locks like {@link isLockedLive}. @throws AppError `token_revoked` */
export async function lockSession(tx: Executor, session: SessionRef, now: number): Promise<void> {
  if (!(await isLockedLive(tx, session, now))) throw new AppError("token_revoked");
}
