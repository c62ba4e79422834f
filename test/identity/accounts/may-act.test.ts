import { expect, test } from "bun:test";
import { mayActFor } from "../../../src/identity/accounts/may-act.ts";

const CASES: [address: string, proven: number, account: "live" | "disabled" | "deleted", may: boolean][] = [
  ["proven", 1, "live", true],
  ["proven", 2, "live", true],
  ["unproven", 0, "live", true],
  // The address was mistyped, and the owner has proven the correct one.
  ["unproven", 1, "live", false],
  ["unproven", 2, "live", false],
  ["proven", 1, "disabled", false],
  ["unproven", 0, "disabled", false],
  ["proven", 1, "deleted", false],
  ["unproven", 0, "deleted", false],
];

test.each(CASES)(
  "whether a mail to a %s address may act, with %i proven addresses on a %s account: %p",
  (address, proven, account, may) => {
    const standing = {
      verified_at: address === "proven" ? 1 : null,
      proven,
      disabled_at: account === "disabled" ? 1 : null,
      deleted_at: account === "deleted" ? 1 : null,
    };
    expect(mayActFor(standing)).toBe(may);
  },
);
