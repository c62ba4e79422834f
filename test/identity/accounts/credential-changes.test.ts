import { describe, expect, test } from "bun:test";
import { CONSEQUENCES, type CredentialChange } from "../../../src/identity/accounts/credential-changes.ts";

type Row = [
  reason: CredentialChange,
  revokes: string,
  flows: string,
  trustedDevices: "forgotten" | "kept",
  knownDevices: "forgotten" | "kept",
  sessions: string | null,
  notice: string | null,
];

/** The rule stated a second time by hand: a change of the rule must also change this table. */
const TABLE: Row[] = [
  ["password_changed", "nothing", "all_but_undo", "forgotten", "kept", "password_changed", "password_changed"],
  ["password_set", "nothing", "all_but_undo", "forgotten", "kept", "password_changed", "password_changed"],
  ["password_reset", "nothing", "all_but_undo", "forgotten", "kept", "password_changed", "password_changed"],
  ["totp_added", "nothing", "half_sign_ins", "forgotten", "kept", "factor_changed", "factor_added"],
  ["totp_removed", "nothing", "half_sign_ins", "forgotten", "kept", "factor_changed", "factor_removed"],
  ["passkey_removed", "nothing", "half_sign_ins", "forgotten", "kept", "factor_changed", "factor_removed"],
  ["passkey_added", "nothing", "half_sign_ins", "forgotten", "kept", "factor_changed", "factor_added"],
  ["recovery_codes_renewed", "nothing", "none", "kept", "kept", null, "factor_added"],
  ["upgraded", "nothing", "all", "forgotten", "kept", "replaced", null],
  ["address_removed", "nothing", "mailed", "kept", "kept", null, null],
  ["address_undone", "newer", "all_but_earlier_undo", "forgotten", "forgotten", "address_undone", "access_removed"],
  ["owner_proven", "everything", "erased", "forgotten", "forgotten", "password_changed", "access_removed"],
];

test.each(TABLE)("%s revokes %s and ends the flows: %s", (reason, revokes, flows, trusted, known, sessions, notice) => {
  const { trustedDevices, knownDevices, ...rest } = CONSEQUENCES[reason];
  expect(rest).toMatchObject({ revokes, flows, sessions });
  expect(trustedDevices).toBe(trusted === "forgotten");
  expect(knownDevices).toBe(known === "forgotten");
  expect(rest.notice?.template ?? null).toBe(notice as never);
});

describe("rules for every reason", () => {
  const all = Object.entries(CONSEQUENCES);

  test("the table above lists every reason", () => {
    expect(all.map(([reason]) => reason).sort()).toEqual(TABLE.map(([reason]) => reason).sort() as string[]);
  });

  test("a reason that ends sessions also ends half sign-ins and trust in devices, which could bring a session back", () => {
    for (const [reason, { sessions, flows, trustedDevices }] of all) {
      if (sessions === null) continue;
      const endsHalfSignIns = flows !== ("none" as string) && flows !== ("mailed" as string);
      expect([reason, endsHalfSignIns, trustedDevices]).toEqual([reason, true, true]);
    }
  });

  test("a revocation of credentials ends every session and forgets the stranger's devices", () => {
    for (const [reason, { revokes, sessions, knownDevices }] of all) {
      if (revokes !== "nothing") expect([reason, sessions === null, knownDevices]).toEqual([reason, false, true]);
    }
  });
});
