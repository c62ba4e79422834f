/** An address among those of its account. Times in ms; null: never. */
interface Address {
  verified_at: number | null;
  /** How many addresses of the account are proven, this one included. */
  proven: number;
}

/** An address with its account, as far as they decide what a mail may do. */
export interface AddressStanding extends Address {
  disabled_at: number | null;
  deleted_at: number | null;
}

/**
 * Whether an address stands for its account. A proven one does, and so does an unproven one as long as the account has no
 * other. Once one address is proven, an unproven one does not: a stranger may read it, because it was mistyped, and must not
 * open the account of the person who proved theirs.
 */
export function standsFor({ verified_at, proven }: Address): boolean {
  return verified_at !== null || proven === 0;
}

/** Whether a mail to this address may act for the account: sign in, or set a password. */
export function mayActFor(standing: AddressStanding): boolean {
  return standing.disabled_at === null && standing.deleted_at === null && standsFor(standing);
}
