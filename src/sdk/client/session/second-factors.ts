import type {
  AuthMfaChallengeOutput,
  AuthMfaEnableOutput,
  AuthMfaSetupOutput,
  MfaRequired,
  Passkey,
  User,
} from "../api.gen.ts";
import type { CallOptions, SallyportClient } from "../types.ts";
import type { Keeper } from "./keeper.ts";
import { passkeyCeremonies } from "./passkeys.ts";
import { answerOf, type SignInAnswer } from "./sign-ins.ts";

/** A code that the user types, or a passkey that the browser asks for. */
export type SecondFactorProof = { method: "totp" | "recovery_code"; code: string } | { method: "passkey" };

/** Half a sign-in: the answer `mfa_required`, or only its token. */
export type HalfSignIn = Pick<MfaRequired, "mfa_token">;

/** A signed-in user's fresh proof of identity. */
export type StepUpProof =
  | SecondFactorProof
  /** For users without a second factor. A user who has one is asked for it next (`mfa_required`). */
  | { method: "password"; password: string }
  /** The code of `startEmailSignIn`, mailed to the user's own address. */
  | { method: "email_code"; flow_id: string; code: string };

export interface SecondFactorMethods {
  /**
   * Completes half a sign-in.
   * @throws SallyportError `invalid_code`: the fifth wrong code ends the sign-in; `code_used`: the next code will do
   */
  verifySecondFactor(
    input: HalfSignIn & SecondFactorProof & { remember_device?: boolean | undefined },
  ): Promise<{ status: "success"; user: User }>;
  /** Lists the accepted second factors: for half a sign-in, or for a step-up of the signed-in user. */
  secondFactorMethods(half?: HalfSignIn): Promise<string[]>;
  /**
   * Proves more about the signed-in user. The session continues under a new id, freshly signed in. Never calls `onStepUp`.
   * @throws SallyportError `invalid_code`, `code_used`, `invalid_credentials`, `passkey_cancelled`, …
   */
  stepUp(proof: StepUpProof): Promise<SignInAnswer>;
  /** Makes a secret for an authenticator app. `enableTotp` activates it with a first code. */
  setupTotp(half?: HalfSignIn, options?: CallOptions): Promise<AuthMfaSetupOutput>;
  /** Completes a sign-in that required set-up, or adds the app to the signed-in user. Shows the recovery codes only once. */
  enableTotp(
    input: Partial<HalfSignIn> & { code: string; remember_device?: boolean | undefined },
    options?: CallOptions,
  ): Promise<{ status: "success"; user: User; recovery_codes: string[] }>;
  /** Makes a passkey on this device. @throws SallyportError `passkey_cancelled`, `passkey_exists`, `passkey_unsupported` */
  registerPasskey(name?: string): Promise<Passkey>;
  /** Deletes the user's account, which cannot be undone, and signs out. */
  deleteAccount(): Promise<void>;
}

const VERIFY = "/v1/auth/mfa/verify";

export function createSecondFactors(keeper: Keeper, client: SallyportClient): SecondFactorMethods {
  const challenge = (half?: HalfSignIn): Promise<AuthMfaChallengeOutput> =>
    client.auth.mfa.challenge.mutate(tokenOf(half), { stepUp: false });

  /** Builds the request body of a proof; a passkey's ceremony runs first. */
  async function shown(proof: SecondFactorProof, half?: HalfSignIn): Promise<object> {
    if (proof.method !== "passkey") return { method: proof.method, code: proof.code };
    const { askPasskey, unsupported } = await passkeyCeremonies();
    const { passkey } = await challenge(half);
    if (passkey === null) throw unsupported();
    const response = await askPasskey(passkey.public_key, false);
    return { method: "passkey", flow_id: passkey.flow_id, response };
  }

  async function stepUp(proof: StepUpProof): Promise<SignInAnswer> {
    switch (proof.method) {
      case "password": {
        const email = keeper.email;
        return answerOf(await keeper.enter("/v1/auth/login", { email, password: proof.password, delivery: "memory" }));
      }
      case "email_code": {
        const { flow_id, code } = proof;
        return answerOf(await keeper.enter("/v1/auth/email/complete", { flow_id, code, delivery: "memory" }));
      }
      default: {
        const body = await shown(proof);
        return keeper.authorized(async (token) => answerOf(await keeper.enter(VERIFY, body, token)), false);
      }
    }
  }

  return {
    async verifySecondFactor({ mfa_token, remember_device, ...proof }) {
      const body = { ...(await shown(proof, { mfa_token })), mfa_token, remember_device };
      return successOf(await keeper.enter(VERIFY, body));
    },
    secondFactorMethods: async (half) => (await challenge(half)).methods,
    stepUp,
    setupTotp: (half, options) => client.auth.mfa.setup.mutate(tokenOf(half), options),
    async enableTotp(input, { stepUp: mayAsk } = {}) {
      const enable = async (token: string | null) => {
        const answer = (await keeper.enter("/v1/auth/mfa/enable", input, token)) as AuthMfaEnableOutput;
        return { ...successOf(answer), recovery_codes: answer.recovery_codes };
      };
      return input.mfa_token === undefined ? keeper.authorized(enable, mayAsk) : enable(null);
    },
    async registerPasskey(name) {
      const { makePasskey } = await passkeyCeremonies();
      const { flow_id, public_key } = await client.me.passkeys.begin.mutate({});
      const response = await makePasskey(public_key);
      return client.me.passkeys.complete.mutate({ flow_id, response, ...(name === undefined ? {} : { name }) });
    },
    deleteAccount: () => keeper.erase(),
  };
}

function tokenOf(half: HalfSignIn | undefined): { mfa_token?: string } {
  return half === undefined ? {} : { mfa_token: half.mfa_token };
}

function successOf(answer: unknown): { status: "success"; user: User } {
  return { status: "success", user: (answer as { user: User }).user };
}
