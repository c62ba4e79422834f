import { findAddressOwner } from "../../identity/users/emails/store.ts";
import type { Executor } from "../../storage/storage.ts";

export interface AddressOwner {
  userId: string;
  emailId: string;
  /** As it is stored: where mail goes to. */
  address: string;
}

/**
 * The user whom a mail to this address may sign in. Disabled and deleted users are left out, and so is a user whose address is
 * unproven while another one is proven: a stranger may have added it, and must not open the account.
 */
export async function findOwner(at: Executor, tenantId: string, canonical: string): Promise<AddressOwner | undefined> {
  const row = await findAddressOwner(at, tenantId, canonical);
  if (!row || row.disabled_at !== null || row.deleted_at !== null) return undefined;
  if (row.verified_at === null && Number(row.proven) > 0) return undefined;
  return { userId: row.user_id, emailId: row.email_id, address: row.address };
}
