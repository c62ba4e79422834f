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

/** Nobody but this dialog is asked while it is open: its own calls would wait for it. */
const UNASKED = { stepUp: false };

/**
 * Has somebody who is signed in prove it again: by a second factor of whoever has one, else by what they sign in with. Where a
 * second factor is needed and there is none, it is set up here.
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
    // The next step is the set-up, where there is nothing to prove more with.
    if (methods.length === 0 && need.aal === "aal2" && security.passkeys === 0) setSetup(true);
    return { methods, security };
  });
  // Setting up wants a fresh sign-in itself, which may have to come first.
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
