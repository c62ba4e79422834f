import { DAY } from "../../core/clock.ts";

/**
 * How long an address must have been proven before a change of the account to count as its owner's. The account's other
 * addresses got a notice when it was added, so their reader had this time to object.
 */
export const STANDING = 7 * DAY;

/** Whether the address had been proven for {@link STANDING} by then. Times are in ms. */
export function isStanding({ verified_at }: { verified_at: number | null }, then: number): boolean {
  return verified_at !== null && verified_at <= then - STANDING;
}
