import { newId } from "../../core/ids.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import { userRef } from "../audit/act.ts";
import { findIdByExternal, findUser, insertUser } from "../users/public.ts";
import type { UserRow } from "../users/wire.ts";
import { findIdByPublic, insertPublicUser } from "./store.ts";

/**
 * Returns the user with this id in the customer's own system, and creates the user at the first request. It also returns the
 * tombstone of a deleted user, which the caller refuses.
 */
export function findOrCreateExternal(storage: Storage, now: number, act: Act, identity: string) {
  return findOrCreate(storage, now, act, {
    method: "signed_token",
    externalId: identity,
    find: (at) => findIdByExternal(at, act.application.tenant.id, identity),
    link: async () => undefined,
  });
}

/** Returns the user of (key, `user_id`). This name space is separate: it holds no external ids and no addresses. */
export function findOrCreatePublic(storage: Storage, now: number, act: Act, keyId: string, identity: string) {
  const tenantId = act.application.tenant.id;
  return findOrCreate(storage, now, act, {
    method: "public_token",
    externalId: null,
    find: (at) => findIdByPublic(at, keyId, identity),
    link: (tx, id) => insertPublicUser(tx, { keyId, subject: identity, tenantId, userId: id, now }),
  });
}

interface Kind {
  method: string;
  externalId: string | null;
  find(at: Executor): Promise<string | undefined>;
  link(tx: Executor, id: string): Promise<void>;
}

async function findOrCreate(storage: Storage, now: number, act: Act, kind: Kind): Promise<UserRow> {
  const found = (await kind.find(storage.read)) ?? (await createOnce(storage, now, act, kind));
  const user = await findUser(storage.read, act.application.tenant.id, found);
  if (!user) throw new Error(`the user ${found} is gone`);
  return user;
}

/**
 * Creates the user once. Of two simultaneous first requests, the unique index lets one create the user, and the other finds it.
 */
async function createOnce(storage: Storage, now: number, act: Act, kind: Kind): Promise<string> {
  const id = newId(now);
  try {
    await storage.write((tx) => create(tx, now, id, act, kind));
    return id;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const found = await kind.find(storage.read);
    if (found === undefined) throw error;
    return found;
  }
}

async function create(tx: Executor, now: number, id: string, act: Act, kind: Kind): Promise<void> {
  await insertUser(tx, now, { id, tenant_id: act.application.tenant.id, external_id: kind.externalId });
  await kind.link(tx, id);
  await act.audit(tx, now, "user.created", userRef(id), { method: kind.method });
}
