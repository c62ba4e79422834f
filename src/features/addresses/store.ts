import type { Executor } from "../../storage/storage.ts";

/**
 * What somebody may have set up who changed the address: the password, whenever it was set, because it is what they came in
 * by or have changed; second factors and passkeys that were added since. Those from before stay: the mailbox alone is no way
 * around them.
 */
export async function deleteCredentialsSince(tx: Executor, userId: string, since: number): Promise<void> {
  await tx.kysely.deleteFrom("password_credentials").where("user_id", "=", userId).execute();
  for (const table of ["passkeys", "recovery_codes"] as const) {
    await tx.kysely.deleteFrom(table).where("user_id", "=", userId).where("created_at", ">=", since).execute();
  }
  await tx.kysely
    .deleteFrom("totp_factors")
    .where("user_id", "=", userId)
    // One that took the place of another keeps its row.
    .where((eb) => eb.or([eb("created_at", ">=", since), eb("enabled_at", ">=", since)]))
    .execute();
}
