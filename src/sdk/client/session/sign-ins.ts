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

/** What the mail holds: its link's token, or its code beside the flow that asked for it. */
export type MailProof = { token: string } | { flow_id: string; code: string };

/** A person signed in, or with `mfa_required` half so: nothing is kept until the second factor is shown. */
export type SignInAnswer = { status: "success"; user: User } | MfaRequired;

/** With `sent`, a mail is on its way, whose code or link goes on: nothing is made before the address is proven. */
export type SignUpAnswer = SignInAnswer | MailSent;

/** What every way to sign in may ask for. */
export interface SignInTarget {
  /** An organization that the person is a member of. */
  organization?: string | null | undefined;
  /** One of the application's audiences. */
  audience?: string | null | undefined;
}

export interface PasskeySignIn extends SignInTarget {
  /**
   * Waits among the suggestions of a field with `autocomplete="username webauthn"`, without a dialog. Rejects with
   * `passkey_unsupported` where the browser cannot, and with `passkey_cancelled` once another passkey is asked for.
   */
  conditional?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** The ways in, and the way back in. They reject with SallyportError. */
export interface SignIns {
  /** @throws SallyportError `invalid_credentials`, `rate_limited`, `invalid_input`, `unreachable`, … */
  signIn(input: Omit<AuthLoginInput, "delivery">): Promise<SignInAnswer>;
  /** By a passkey that the browser finds. @throws SallyportError `passkey_cancelled`, `passkey_unsupported`, `invalid_code`, … */
  signInWithPasskey(options?: PasskeySignIn): Promise<SignInAnswer>;
  /** Mails a link or a code. The answer is the same for an address that nobody has. */
  startEmailSignIn(input: { email: string; method: "magic_link" | "email_code" }): Promise<MailSent>;
  /** @throws SallyportError `invalid_code` for what is wrong, spent or too old */
  completeEmailSignIn(input: MailProof & SignInTarget): Promise<SignInAnswer>;
  /** @throws SallyportError `conflict` for a known address where sign-up is immediate, `invalid_input`, … */
  signUp(input: Omit<AuthRegisterInput, "delivery">): Promise<SignUpAnswer>;
  /** The second half of a sign-up that answered `sent`. @throws SallyportError `invalid_code` */
  completeRegistration(input: MailProof): Promise<SignInAnswer>;
  /** Signs in somebody without a name, who may be made an account of later by `upgrade`, under the same id. */
  signInAnonymously(input?: { metadata?: Record<string, unknown> }): Promise<SignInAnswer>;
  /** Gives the anonymous person who is signed in an address and a password. */
  upgrade(input: { email: string; password: string; display_name?: string | null }): Promise<SignUpAnswer>;
  /** Mails a link and a code. The answer is the same for an address that nobody has. */
  forgotPassword(input: { email: string }): Promise<MailSent>;
  /** Sets a new password and ends all sessions. Signs nobody in. @throws SallyportError `invalid_code`, `invalid_input` */
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

/** The tokens in an answer are the keeper's: what is handed on says who signed in, or what is still to do. */
export function answerOf(answer: unknown): SignInAnswer {
  const { status, user } = answer as { status: unknown; user: User };
  return status === "success" ? { status, user } : (answer as MfaRequired);
}
