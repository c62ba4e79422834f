import type { PlatformSignal } from "../../internal/platform.ts";
import type {
  AuthLoginInput,
  AuthPasskeyBeginOutput,
  AuthRegisterInput,
  MailSent,
  MfaRequired,
  User,
} from "../api.gen.ts";
import type { SallyportClient } from "../types.ts";
import type { Keeper } from "./keeper.ts";
import { passkeyCeremonies } from "./passkeys.ts";

/**
 * The proof in a mail: its link's token, or its code with the flow that asked for it. A client without cookies sends the flow with
 * the token of a sign-in too, because that link works only for the client that asked for it.
 */
export type MailProof = { token: string; flow_id?: string | undefined } | { flow_id: string; code: string };

/** A completed sign-in, or with `mfa_required` half of one: nothing is kept until the second factor is shown. */
export type SignInAnswer = { status: "success"; user: User } | MfaRequired;

/** `sent` means that a mail is on its way. Its code or link continues; nothing is created before the address is proven. */
export type SignUpAnswer = SignInAnswer | MailSent;

/** Options of every way to sign in. */
export interface SignInTarget {
  /** An organization of which the user is a member. */
  organization?: string | null | undefined;
  /** One of the application's audiences. */
  audience?: string | null | undefined;
}

export interface PasskeySignIn extends SignInTarget {
  /**
   * Waits among the suggestions of a field with `autocomplete="username webauthn"`, without a dialog. Rejects with
   * `passkey_unsupported` if the browser cannot do it, and with `passkey_cancelled` once another passkey is requested.
   */
  conditional?: boolean | undefined;
  signal?: PlatformSignal | undefined;
}

/** All ways to sign in, sign up and recover an account. They reject with SallyportError. */
export interface SignIns {
  /** @throws SallyportError `invalid_credentials`, `rate_limited`, `invalid_input`, `unreachable`, … */
  signIn(input: Omit<AuthLoginInput, "delivery">): Promise<SignInAnswer>;
  /** Signs in with a passkey. @throws SallyportError `passkey_cancelled`, `passkey_unsupported`, `invalid_code`, … */
  signInWithPasskey(options?: PasskeySignIn): Promise<SignInAnswer>;
  /** Mails a link or a code. The answer is the same for an unknown address. */
  startEmailSignIn(input: { email: string; method: "magic_link" | "email_code" }): Promise<MailSent>;
  /** @throws SallyportError `invalid_code` if it is wrong, used or too old */
  completeEmailSignIn(input: MailProof & SignInTarget): Promise<SignInAnswer>;
  /** @throws SallyportError `conflict` for a known address if sign-up is immediate, `invalid_input`, … */
  signUp(input: Omit<AuthRegisterInput, "delivery">): Promise<SignUpAnswer>;
  /** Completes a sign-up that answered `sent`. @throws SallyportError `invalid_code` */
  completeRegistration(input: MailProof & { password: string }): Promise<SignInAnswer>;
  /** Signs in a user without a name. `upgrade` can turn it into an account later, under the same id. */
  signInAnonymously(input?: { metadata?: Record<string, unknown> }): Promise<SignInAnswer>;
  /** Gives the signed-in anonymous user an address and a password. */
  upgrade(input: { email: string; password: string; display_name?: string | null }): Promise<SignUpAnswer>;
  /** Mails a link and a code. The answer is the same for an unknown address. */
  forgotPassword(input: { email: string }): Promise<MailSent>;
  /** Sets a new password and ends all sessions. Does not sign in. @throws SallyportError `invalid_code`, `invalid_input` */
  resetPassword(input: MailProof & { new_password: string }): Promise<void>;
}

export function createSignIns(keeper: Keeper, client: SallyportClient): SignIns {
  const enter = async (path: string, input: object | undefined) =>
    answerOf(await keeper.enter(`/v1/auth/${path}`, { ...input, delivery: "memory" }));

  async function signInWithPasskey({ conditional = false, signal, ...target }: PasskeySignIn = {}) {
    const { askPasskey, suggestionsWork, unsupported } = await passkeyCeremonies();
    if (conditional && !(await suggestionsWork())) throw unsupported();
    const options: AuthPasskeyBeginOutput = await client.auth.passkey.begin.mutate({}, { signal });
    const response = await askPasskey(options.public_key, conditional, signal);
    return enter("passkey/login/complete", { ...target, flow_id: options.flow_id, response });
  }

  return {
    signIn: (input) => enter("login", input),
    signInWithPasskey,
    startEmailSignIn: (input) => client.auth.email.start.mutate(input),
    completeEmailSignIn: (input) => enter("email/complete", input),
    signUp: (input) => enter("register", input) as Promise<SignUpAnswer>,
    completeRegistration: (input) => enter("register/complete", input),
    signInAnonymously: (input) => enter("anonymous", input),
    upgrade: (input) =>
      keeper.authorized(async (token) =>
        answerOf(await keeper.enter("/v1/auth/anonymous/upgrade", { ...input, delivery: "memory" }, token)),
      ) as Promise<SignUpAnswer>,
    forgotPassword: (input) => client.auth.password.forgot.mutate(input),
    resetPassword: async (input) => {
      await client.auth.password.reset.mutate(input);
    },
  };
}

/** Drops the tokens, which only the keeper holds: the caller gets the user, or the step that is still to do. */
export function answerOf(answer: unknown): SignInAnswer {
  const { status, user } = answer as { status: unknown; user: User };
  return status === "success" ? { status, user } : (answer as MfaRequired);
}
