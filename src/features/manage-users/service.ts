import { canonicalEmail, type EmailAddress, emailProblem } from "../../core/email.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { mergePatch } from "../../core/merge-patch.ts";
import { userRef } from "../../identity/audit/act.ts";
import { isPublicUser } from "../../identity/customer-tokens/public.ts";
import { once, type RepeatableCall } from "../../identity/idempotency/idempotency.ts";
import type { Identity } from "../../identity/identity.ts";
import {
  findUser,
  insertEmail,
  insertUser,
  lockUser,
  pageOfUsers,
  searchForm,
  updateUser,
} from "../../identity/users/public.ts";
import { type ProfileInput, toManagedUser, type UserRow, type WireManagedUser } from "../../identity/users/wire.ts";
import type { AdmittedKey } from "../../rpc/gate.ts";
import { cutPage, metadataInput } from "../../rpc/schemas.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { Executor } from "../../storage/storage.ts";

/** The columns that a backend sets directly. */
type Columns = ProfileInput & { external_id?: string | null | undefined };

interface NewUser {
  email: string | null;
  columns: Columns;
  metadata: JsonObject;
  privateMetadata: JsonObject;
}

/** A member that is undefined stays as it is. */
interface UserChanges {
  columns: Columns;
  metadata: JsonObject | undefined;
  privateMetadata: JsonObject | undefined;
}

interface UserFilter {
  limit: number;
  cursor: string | null;
  email: string | null;
  externalId: string | null;
  anonymous: boolean | null;
  search: string | null;
}

/** Manages the users of the calling key's tenant only. */
export class UserService {
  constructor(private readonly identity: Pick<Identity, "accounts" | "clock" | "storage">) {}

  /** @throws AppError `invalid_input`, `conflict` if the address or external id is taken, also by a deleted user */
  create(caller: AdmittedKey, input: NewUser, call: RepeatableCall | null): Promise<WireManagedUser> {
    const email = input.email === null ? null : requireEmail(input.email);
    const { storage, clock } = this.identity;
    const now = clock.now();
    const id = newId(now);
    const read = async (tx: Executor, userId: string) => toManagedUser(await this.#own(tx, caller, userId));
    return storage.write((tx) =>
      once(
        tx,
        now,
        call,
        id,
        async () => {
          await this.#insert(tx, now, id, caller, input, email);
          await caller.act.audit(tx, now, "user.created", userRef(id), { method: "management" });
          return read(tx, id);
        },
        (made) => read(tx, made),
      ),
    );
  }

  async list(caller: AdmittedKey, filter: UserFilter) {
    const after = filter.cursor;
    const rows = await pageOfUsers(this.identity.storage.read, {
      tenantId: caller.act.application.tenant.id,
      after,
      limit: filter.limit + 1,
      email: filter.email === null ? null : requireEmail(filter.email).canonical,
      externalId: filter.externalId,
      anonymous: filter.anonymous,
      search: filter.search === null ? null : searchForm(filter.search),
    });
    return cutPage(rows, filter.limit, (row) => row.id, toManagedUser);
  }

  /** @throws AppError `not_found` unless this is a user of the caller's tenant who is not deleted */
  async get(caller: AdmittedKey, id: string): Promise<WireManagedUser> {
    return toManagedUser(await this.#own(this.identity.storage.read, caller, id));
  }

  /** @throws AppError `not_found`, `invalid_input` (too large once merged), `conflict` (external id) */
  update(caller: AdmittedKey, id: string, changes: UserChanges): Promise<WireManagedUser> {
    const { storage, clock } = this.identity;
    return storage.write(async (tx) => {
      const now = clock.now();
      if (!(await lockUser(tx, caller.act.application.tenant.id, id, now))) throw new AppError("not_found");
      const before = await this.#own(tx, caller, id);
      if (typeof changes.columns.external_id === "string" && (await isPublicUser(tx, id))) throw publicUser();
      const columns = {
        ...changes.columns,
        ...(changes.metadata && { public_metadata: merged("metadata", before.public_metadata, changes.metadata) }),
        ...(changes.privateMetadata && {
          private_metadata: merged("private_metadata", before.private_metadata, changes.privateMetadata),
        }),
      };
      try {
        await updateUser(tx, id, columns, now);
      } catch (error) {
        throw asConflict(error);
      }
      await caller.act.audit(tx, now, "user.changed", userRef(id), { fields: Object.keys(columns) });
      return toManagedUser(await this.#own(tx, caller, id));
    });
  }

  /** @throws AppError `not_found` */
  delete(caller: AdmittedKey, id: string): Promise<void> {
    const { storage, accounts } = this.identity;
    return storage.write((tx) => accounts.delete(tx, caller.act, id));
  }

  async #insert(
    tx: Executor,
    now: number,
    id: string,
    caller: AdmittedKey,
    input: NewUser,
    email: EmailAddress | null,
  ): Promise<void> {
    const tenantId = caller.act.application.tenant.id;
    try {
      await insertUser(tx, now, {
        ...input.columns,
        id,
        tenant_id: tenantId,
        public_metadata: JSON.stringify(input.metadata),
        private_metadata: JSON.stringify(input.privateMetadata),
      });
      if (email) await insertEmail(tx, { id: newId(now), tenantId, userId: id, ...email, now });
    } catch (error) {
      throw asConflict(error);
    }
  }

  async #own(at: Executor, caller: AdmittedKey, id: string): Promise<UserRow> {
    const row = await findUser(at, caller.act.application.tenant.id, id);
    if (!row || row.deleted_at !== null) throw new AppError("not_found");
    return row;
  }
}

function merged(path: string, stored: string, patch: JsonObject): string {
  const value = mergePatch(JSON.parse(stored) as JsonObject, patch);
  const checked = metadataInput.safeParse(value);
  if (!checked.success) throw invalidField(path, checked.error.issues[0]?.message ?? "is not valid");
  return JSON.stringify(value);
}

function requireEmail(input: string): EmailAddress {
  const email = canonicalEmail(input);
  if (!email) throw invalidField("email", emailProblem(input));
  return email;
}

/** Anyone can get a token of the public issuer: with an external id, it would identify the customer's own user. */
function publicUser(): AppError {
  return new AppError("conflict", {
    message: "A user of the public issuer cannot have an external_id.",
    details: [{ path: "external_id", reason: "cannot be set for a user of the public issuer" }],
  });
}

/** Says which field a unique index refused, so that a backend can look up the user who has the value. */
function asConflict(error: unknown): unknown {
  for (const [hint, path] of [
    ["external_id", "external_id"],
    ["canonical", "email"],
  ] as const) {
    if (!isUniqueViolation(error, hint)) continue;
    return new AppError("conflict", {
      message: `Another user has this ${path}.`,
      details: [{ path, reason: "is taken" }],
    });
  }
  return error;
}
