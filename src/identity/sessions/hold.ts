import { AppError } from "../../core/errors.ts";
import type { Executor } from "../../storage/storage.ts";
import { lockUser } from "../users/store.ts";
import { findSession, isLiveSession, type SessionBundle } from "./store.ts";

/**
 * Holds the user's row until the transaction ends, and looks at the session again: a reset or an undo that has come in
 * between, from the person whose account it is, must not be followed by an act of the session that it ended.
 * @throws AppError `token_revoked`
 */
export async function holdSession(tx: Executor, session: SessionBundle, now: number): Promise<void> {
  const isThere = await lockUser(tx, session.tenant_id, session.user_id, now);
  const current = isThere ? await findSession(tx, session.sid) : undefined;
  if (!current || !isLiveSession(current, now)) throw new AppError("token_revoked");
}
