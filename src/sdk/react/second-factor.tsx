import { type ReactElement, useRef } from "react";
import type { MfaRequired, User } from "../client/api.gen.ts";
import type { SecondFactorProof } from "../client/session/second-factors.ts";
import { Card } from "./card.tsx";
import { useProvided } from "./context.ts";
import { FactorForm } from "./factor-form.tsx";
import { usePageAuth } from "./hooks.ts";
import { LinkButton } from "./link-button.tsx";
import { SecondFactorSetup } from "./second-factor-setup.tsx";

export interface SecondFactorProps {
  /** The answer to the first factor: `status: "mfa_required"`. */
  mfa: MfaRequired;
  onSignedIn?: ((user: User) => void) | undefined;
  /** Offers to skip the second factor on this device, if the application allows it (`mfa_remember`). Default false. */
  offerRemember?: boolean | undefined;
  /** Returns to the first factor, on the user's wish or because this sign-in is over; `problem` then says why. */
  onStartAgain: (problem: string | null) => void;
}

/** The wrong codes after which the appliance ends a sign-in. Its answer does not differ from that to one wrong code. */
const TRIES = 5;

/** The second half of a sign-in: a code from an authenticator app, a recovery code or a passkey; or the first set-up. */
export function SecondFactor({ mfa, onSignedIn, offerRemember, onStartAgain }: SecondFactorProps): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const tries = useRef(0);
  const began = useRef(performance.now());

  function isOver(): boolean {
    return tries.current >= TRIES || performance.now() - began.current > mfa.mfa_token_expires_in * 1000;
  }

  async function send(proof: SecondFactorProof, remember: boolean): Promise<void> {
    try {
      const input = { mfa_token: mfa.mfa_token, ...proof, ...(remember ? { remember_device: true } : {}) };
      const { user } = await auth().verifySecondFactor(input);
      onSignedIn?.(user);
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code === "invalid_code") tries.current++;
      if (isOver()) return onStartAgain(texts.signInOver);
      throw error;
    }
  }

  const back = <LinkButton onClick={() => onStartAgain(null)}>{texts.startAgain}</LinkButton>;
  if (mfa.setup_required) {
    return (
      <SecondFactorSetup mfa={mfa} onDone={onSignedIn}>
        {back}
      </SecondFactorSetup>
    );
  }
  return (
    <Card title={texts.secondFactor}>
      <FactorForm methods={mfa.methods} send={send} offerRemember={offerRemember}>
        {back}
      </FactorForm>
    </Card>
  );
}
