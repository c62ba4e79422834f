import type { TemplateName } from "../../mail/templates/template.ts";
import type { AuditAction } from "../audit/actions.ts";
import type { EndReason } from "../sessions/sessions.ts";
import type { NoticeKind } from "../tenants/notice-kinds.ts";

/** Everything that ends, is recorded and is told when a credential changes. */
export interface Consequences {
  audit: AuditAction;
  /** Credentials that go with it: every one of the account, or those that came since the instant that the caller names. */
  revokes: "nothing" | "everything" | "newer";
  /**
   * Flows that end. `half_sign_ins` waits for a second factor, `mailed` is a link or code that opens the account, and `undo`
   * takes a change of address back: it outlives a change of password, because a thief must not be able to end it by one.
   * `erased` leaves no record either: it may hold a stranger's data.
   */
  flows: "none" | "half_sign_ins" | "mailed" | "all_but_undo" | "all_but_earlier_undo" | "all" | "erased";
  /** Every device proves a second factor again. */
  trustedDevices: boolean;
  /** Somebody else may have held the account: a sign-in from a device of theirs counts as new. */
  knownDevices: boolean;
  /** Why the sessions end, in every application and without `keep`; null where they go on. */
  sessions: EndReason | null;
  notice: { kind: NoticeKind; template: TemplateName; values?: Readonly<Record<string, string>> } | null;
}

const NOTHING = {
  revokes: "nothing",
  flows: "none",
  trustedDevices: false,
  knownDevices: false,
  sessions: null,
  notice: null,
} as const;

/** The account was held by the person who changes it: proofs from before the new password count no more. */
const NEW_PASSWORD = {
  ...NOTHING,
  flows: "all_but_undo",
  trustedDevices: true,
  sessions: "password_changed",
  notice: { kind: "password", template: "password_changed" },
} as const;

/**
 * A first factor that was proven before the change asks for no second one, or for another: it ends, and other sessions do. A
 * mailed link stays, because it proves a first factor only and is asked for the second one as before.
 */
const NEW_FACTORS = { ...NOTHING, flows: "half_sign_ins", trustedDevices: true, sessions: "factor_changed" } as const;

const told = (change: "added" | "removed", factor: "totp" | "recovery_codes" | "passkey") =>
  ({ kind: "factor", template: `factor_${change}`, values: { factor } }) as const;

/** The one rule for each reason. A change of credentials that is not listed here does not compile. */
export const CONSEQUENCES = {
  password_changed: { ...NEW_PASSWORD, audit: "password.changed" },
  password_set: { ...NEW_PASSWORD, audit: "password.set" },
  password_reset: { ...NEW_PASSWORD, audit: "password.reset" },
  totp_added: { ...NEW_FACTORS, audit: "factor.added", notice: told("added", "totp") },
  totp_removed: { ...NEW_FACTORS, audit: "factor.removed", notice: told("removed", "totp") },
  passkey_removed: { ...NEW_FACTORS, audit: "passkey.removed", notice: told("removed", "passkey") },
  // One more way in takes nothing from the proofs that there are.
  passkey_added: { ...NOTHING, audit: "passkey.added", notice: told("added", "passkey") },
  recovery_codes_renewed: { ...NOTHING, audit: "factor.added", notice: told("added", "recovery_codes") },
  // An anonymous user gets credentials: no id of a session survives a rise in privilege.
  upgraded: { ...NOTHING, audit: "user.upgraded", flows: "all", trustedDevices: true, sessions: "replaced" },
  // Links that were mailed to the removed address open nothing any more.
  address_removed: { ...NOTHING, audit: "email.removed", flows: "mailed" },
  // Somebody else had the account. Links of earlier changes stay: one who changes twice must not end the first one's undo.
  address_undone: {
    ...NOTHING,
    audit: "email.change_undone",
    revokes: "newer",
    flows: "all_but_earlier_undo",
    trustedDevices: true,
    knownDevices: true,
    sessions: "address_undone",
  },
  // The owner of the address comes in for the first time: a stranger may have set the account up (pre-hijacking).
  owner_proven: {
    ...NOTHING,
    audit: "user.unproven_credentials_revoked",
    revokes: "everything",
    flows: "erased",
    trustedDevices: true,
    knownDevices: true,
    sessions: "password_changed",
  },
} as const satisfies Record<string, Consequences>;

export type CredentialChange = keyof typeof CONSEQUENCES;
