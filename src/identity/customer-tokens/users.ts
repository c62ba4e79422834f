import type { RequestOrigin } from "../../core/caller.ts";
import { newId } from "../../core/ids.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import { appendAudit } from "../audit/store.ts";
import { findUser, insertUser } from "../users/store.ts";
import type { UserRow } from "../users/wire.ts";
import { findIdByExternal, findIdByPublic, insertPublicUser } from "./store.ts";

interface Creator {
  tenantId: string;
  applicationId: string;
  keyId: string;
  origin: RequestOrigin;
}

/**
 * The user with this id in the customer's own system, made at first sight. A deleted one is found too, as the tombstone
 * that it is: the caller refuses it.
 */
export function findOrCreateExternal(storage: Storage, now: number, creator: Creator, identity: string) {
  return findOrCreate(storage, now, creator, {
    method: "signed_token",
    externalId: identity,
    find: (at) => findIdByExternal(at, creator.tenantId, identity),
    link: async () => undefined,
  });
}

/** The user (key, `user_id`): a name space of its own, in which no external id and nobody's address stands. */
export function findOrCreatePublic(storage: Storage, now: number, creator: Creator, identity: string) {
  const { tenantId, keyId } = creator;
  return findOrCreate(storage, now, creator, {
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

async function findOrCreate(storage: Storage, now: number, creator: Creator, kind: Kind): Promise<UserRow> {
  const found = (await kind.find(storage.read)) ?? (await createOnce(storage, now, creator, kind));
  const user = await findUser(storage.read, creator.tenantId, found);
  if (!user) throw new Error(`the user ${found} is gone`);
  return user;
}

/** Of two first requests at the same time the unique index lets one make the user, and the other finds it. */
async function createOnce(storage: Storage, now: number, creator: Creator, kind: Kind): Promise<string> {
  const id = newId(now);
  try {
    await storage.write((tx) => create(tx, now, id, creator, kind));
    return id;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const found = await kind.find(storage.read);
    if (found === undefined) throw error;
    return found;
  }
}

async function create(tx: Executor, now: number, id: string, creator: Creator, kind: Kind): Promise<void> {
  await insertUser(tx, now, { id, tenant_id: creator.tenantId, external_id: kind.externalId });
  await kind.link(tx, id);
  await appendAudit(tx, now, {
    tenantId: creator.tenantId,
    actor: { kind: "key", id: creator.keyId },
    action: "user.created",
    target: { kind: "user", id },
    applicationId: creator.applicationId,
    origin: creator.origin,
    details: { method: kind.method },
  });
}
