/** A way to tokens: its proof and its controls. */
export interface Pathway {
  /** The name of the procedure. */
  name: string;
  proves: string;
  /** The strength of its session. */
  strength: string;
  controls: string;
}

const first = "aal1, or the second factor is required";
const secondFactor = "account state, the application's second-factor policy, audit entry, notice of a new device";

/** Every procedure that answers with tokens. A test compares this list with the router. */
export const pathways: readonly Pathway[] = [
  {
    name: "auth.register",
    proves: "nothing yet (sign-up `immediate`)",
    strength: first,
    controls: `password policy; limit by network; ${secondFactor}`,
  },
  {
    name: "auth.completeRegistration",
    proves: "the address (link or code)",
    strength: first,
    controls: `single use, five tries; ${secondFactor}`,
  },
  {
    name: "auth.login",
    proves: "the password",
    strength: first,
    controls: `limits by account, account and network, network; same work for unknown accounts; ${secondFactor}`,
  },
  {
    name: "auth.email.complete",
    proves: "reading the address (link or code); off by default",
    strength: first,
    controls: `single use, five tries, limits on mails; ${secondFactor}`,
  },
  {
    name: "auth.passkey.complete",
    proves: "a passkey; two factors with user verification",
    strength: "aal2 with user verification, else as above",
    controls: `origin and RP id, single-use challenge, counter; ${secondFactor}`,
  },
  {
    name: "auth.mfa.enable",
    proves: "a first factor or a fresh session, and the new authenticator app",
    strength: "aal2",
    controls: "single-use MFA token of five tries, or a fresh session; other sessions end",
  },
  {
    name: "auth.mfa.verify",
    proves: "a first factor or a session, and a second factor",
    strength: "aal2",
    controls: "single-use MFA token of five tries; each code once; limits by account and network",
  },
  {
    name: "auth.anonymous",
    proves: "nothing: a new user without credentials; off by default",
    strength: "aal1, no credential, `is_anonymous`",
    controls: "limit by network; account procedures that need a credential refuse it",
  },
  {
    name: "auth.upgrade",
    proves: "the anonymous user's own session, and a new password",
    strength: first,
    controls: "password policy; limit by network; the session continues under a new id",
  },
  {
    name: "auth.refresh",
    proves: "the refresh token of a live session",
    strength: "that of the session",
    controls: "each token once; a copy ends the session; user, application and tenant are checked again",
  },
];
