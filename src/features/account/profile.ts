import { AppError, invalidField } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { mergePatch } from "../../core/merge-patch.ts";
import { userRef } from "../../identity/audit/act.ts";
import type { Identity } from "../../identity/identity.ts";
import { findUser, lockUser, updateUser } from "../../identity/users/public.ts";
import { type ProfileInput, toWireUser, type WireUser } from "../../identity/users/wire.ts";
import type { AdmittedUser } from "../../rpc/gate.ts";
import { metadataInput } from "../../rpc/schemas.ts";

export class ProfileService {
  constructor(private readonly identity: Pick<Identity, "clock" | "storage">) {}

  /** @throws AppError `token_revoked` if the user was deleted meanwhile, `invalid_input` (too large once merged) */
  update(caller: AdmittedUser, profile: ProfileInput, metadata: JsonObject | undefined): Promise<WireUser> {
    const { storage, clock } = this.identity;
    const { act } = caller;
    const tenantId = act.application.tenant.id;
    const { id } = caller.user;
    return storage.write(async (tx) => {
      const now = clock.now();
      const before = (await lockUser(tx, tenantId, id, now)) ? await findUser(tx, tenantId, id) : undefined;
      if (!before || before.disabled_at !== null) throw new AppError("token_revoked");
      const columns = {
        ...profile,
        ...(metadata && { public_metadata: merged(before.public_metadata, metadata) }),
      };
      await updateUser(tx, id, columns, now);
      const fields = Object.keys(columns);
      const details = { fields, ...(caller.keyId === null ? {} : { signed_by: caller.keyId }) };
      await act.audit(tx, now, "user.changed", userRef(id), details);
      const after = await findUser(tx, tenantId, id);
      if (!after) throw new Error(`the user ${id} is gone`);
      return toWireUser(after);
    });
  }
}

function merged(stored: string, patch: JsonObject): string {
  const value = mergePatch(JSON.parse(stored) as JsonObject, patch);
  const checked = metadataInput.safeParse(value);
  if (!checked.success) throw invalidField("metadata", checked.error.issues[0]?.message ?? "is not valid");
  return JSON.stringify(value);
}
