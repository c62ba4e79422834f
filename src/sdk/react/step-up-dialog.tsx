import { type ReactElement, useCallback, useState } from "react";
import type { MfaRequired } from "../client/api.gen.ts";
import type { SignInAnswer } from "../client/session/sign-ins.ts";
import type { StepUpNeed } from "../client/step-up.ts";
import { useProvided } from "./context.ts";
import { Dialog } from "./dialog.tsx";
import { FactorForm } from "./factor-form.tsx";
import { usePageAuth } from "./hooks.ts";
import { Loaded, useLoaded } from "./loaded.tsx";
import { ProveByMail, ProveByPasskey, ProveByPassword } from "./prove.tsx";
import { TotpSetupForm } from "./totp-setup-form.tsx";

export interface StepUpProps {
  need: StepUpNeed;
  onDone: () => void;
  onCancel: () => void;
}

/** This dialog's own calls never ask for a step-up: they would wait for the dialog. */
const UNASKED = { stepUp: false };

/**
 * Lets a signed-in user prove their identity again: with a second factor if there is one, else with their way to sign in. Sets
 * up a second factor if one is needed and missing.
 */
export function StepUp({ need, onDone, onCancel }: StepUpProps): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const [mfa, setMfa] = useState<MfaRequired | null>(null);
  const [isSetup, setSetup] = useState(false);
  const [isRefused, setRefused] = useState(false);
  const means = useLoaded(async () => {
    const [methods, security] = await Promise.all([
      auth().secondFactorMethods(),
      auth().client.me.security.query(undefined, UNASKED),
    ]);
    // Without a second factor to prove more with, set-up is the next step.
    if (methods.length === 0 && need.aal === "aal2" && security.passkeys === 0) setSetup(true);
    return { methods, security };
  });
  // The set-up itself needs a fresh sign-in, which may have to come first.
  const refused = useCallback(() => setRefused(true), []);

  function settle(answer: SignInAnswer): void {
    if (answer.status === "mfa_required") setMfa(answer);
    else if (isSetup) setRefused(false);
    else onDone();
  }

  return (
    <Dialog title={isSetup ? texts.setUpTotp : texts.stepUp} onClose={onCancel}>
      <p>{isSetup ? texts.stepUpSetUp : texts.stepUpIntro}</p>
      <Loaded of={means}>
        {({ methods, security }) => {
          if (mfa) {
            return (
              <FactorForm
                methods={mfa.methods}
                send={async (proof) => {
                  await auth().verifySecondFactor({ mfa_token: mfa.mfa_token, ...proof });
                  onDone();
                }}
              />
            );
          }
          if (methods.length > 0) {
            return <FactorForm methods={methods} send={async (proof) => settle(await auth().stepUp(proof))} />;
          }
          if (isSetup && !isRefused) {
            return <TotpSetupForm options={UNASKED} onDone={onDone} onRefused={refused} />;
          }
          if (security.passkeys > 0) return <ProveByPasskey onAnswer={settle} />;
          if (security.password) return <ProveByPassword onAnswer={settle} />;
          return <ProveByMail onAnswer={settle} />;
        }}
      </Loaded>
    </Dialog>
  );
}
