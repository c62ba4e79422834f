import type { TemplateName } from "../../mail/templates/template.ts";
import type { AuditAction } from "../audit/actions.ts";
import type { EndReason } from "../sessions/sessions.ts";
import type { NoticeKind } from "../tenants/notice-kinds.ts";

/** Everything that follows from a change of credentials. */
export interface Consequences {
  audit: AuditAction;
  /** The credentials that are revoked as well: all of the account, or those added since the time that the caller names. */
  revokes: "nothing" | "everything" | "newer";
  /**
   * The flows that end. A `half_sign_ins` flow waits for a second factor. A `mailed` flow is a link or code that opens the
   * account. An `undo` flow takes a change of address back and survives a change of password, because a thief must not be able
   * to end it that way. `erased` also deletes the records, because they may hold a stranger's data.
   */
  flows: "none" | "half_sign_ins" | "mailed" | "all_but_undo" | "all_but_earlier_undo" | "all" | "erased";
  /** Whether every device must prove a second factor again. */
  trustedDevices: boolean;
  /**
   * Whether known devices are forgotten. A stranger may have held the account, so a sign-in from the stranger's device must
   * count as new.
   */
  knownDevices: boolean;
  /** Why the sessions end, in every application, except `keep`. If null, they stay alive. */
  sessions: EndReason | null;
  /** If `template` is `access_removed`, it names what was removed, and is sent only if anything was. */
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

/** The same person held the account before the change. Proofs from before the new password stop counting. */
const NEW_PASSWORD = {
  ...NOTHING,
  flows: "all_but_undo",
  trustedDevices: true,
  sessions: "password_changed",
  notice: { kind: "password", template: "password_changed" },
} as const;

/**
 * A sign-in that proved its first factor before the change would ask for the wrong second factor, or for none. So half sign-ins
 * and other sessions end. A mailed link stays: it proves a first factor only, and the second factor is still asked for.
 */
const NEW_FACTORS = { ...NOTHING, flows: "half_sign_ins", trustedDevices: true, sessions: "factor_changed" } as const;

const REMOVED = { kind: "factor", template: "access_removed" } as const;

const told = (change: "added" | "removed", factor: "totp" | "recovery_codes" | "passkey") =>
  ({ kind: "factor", template: `factor_${change}`, values: { factor } }) as const;

/** The one rule for each reason. A credential change that is missing here does not compile. */
export const CONSEQUENCES = {
  password_changed: { ...NEW_PASSWORD, audit: "password.changed" },
  password_set: { ...NEW_PASSWORD, audit: "password.set" },
  password_reset: { ...NEW_PASSWORD, audit: "password.reset" },
  totp_added: { ...NEW_FACTORS, audit: "factor.added", notice: told("added", "totp") },
  totp_removed: { ...NEW_FACTORS, audit: "factor.removed", notice: told("removed", "totp") },
  passkey_removed: { ...NEW_FACTORS, audit: "passkey.removed", notice: told("removed", "passkey") },
  passkey_added: { ...NEW_FACTORS, audit: "passkey.added", notice: told("added", "passkey") },
  recovery_codes_renewed: { ...NOTHING, audit: "factor.added", notice: told("added", "recovery_codes") },
  // An anonymous user gets credentials. No session id survives a rise in privilege.
  upgraded: { ...NOTHING, audit: "user.upgraded", flows: "all", trustedDevices: true, sessions: "replaced" },
  // Links that were mailed to the removed address stop working.
  address_removed: { ...NOTHING, audit: "email.removed", flows: "mailed" },
  // Another person had the account. Undo links of earlier changes stay: a thief who changes the address twice must not end the
  // first undo.
  address_undone: {
    ...NOTHING,
    audit: "email.change_undone",
    revokes: "newer",
    flows: "all_but_earlier_undo",
    trustedDevices: true,
    knownDevices: true,
    sessions: "address_undone",
    notice: REMOVED,
  },
  // The owner of the address signs in for the first time. A stranger may have set the account up before (pre-hijacking).
  owner_proven: {
    ...NOTHING,
    audit: "user.unproven_credentials_revoked",
    revokes: "everything",
    flows: "erased",
    trustedDevices: true,
    knownDevices: true,
    sessions: "password_changed",
    notice: REMOVED,
  },
} as const satisfies Record<string, Consequences>;

export type CredentialChange = keyof typeof CONSEQUENCES;
