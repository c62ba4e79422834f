/** An address and the state of its account's addresses. Times are in ms; null means never. */
interface Address {
  verified_at: number | null;
  /** How many addresses of the account are proven, including this one. */
  proven: number;
}

/** An address with the state of its account that decides which mails may act. */
export interface AddressStanding extends Address {
  disabled_at: number | null;
  deleted_at: number | null;
}

/**
 * Returns whether an address may act for its account. A proven address may. An unproven address may only while the account has
 * no proven address: it may be mistyped and belong to a stranger, who must not open the account of a person with a proven
 * address.
 */
export function standsFor({ verified_at, proven }: Address): boolean {
  return verified_at !== null || proven === 0;
}

/** Returns whether a mail to this address may sign in to the account or set its password. */
export function mayActFor(standing: AddressStanding): boolean {
  return standing.disabled_at === null && standing.deleted_at === null && standsFor(standing);
}
