import { type ReactElement, useState } from "react";
import type { MailSent, MfaRequired, User } from "../client/api.gen.ts";
import type { SignUpAnswer } from "../client/session/sign-ins.ts";
import { Card } from "./card.tsx";
import { useProvided } from "./context.ts";
import { useFieldIds } from "./field.tsx";
import { usePageAuth } from "./hooks.ts";
import { LinkButton } from "./link-button.tsx";
import { MailCode } from "./mail-code.tsx";
import { type Other, OtherWay } from "./other-way.tsx";
import { SecondFactor } from "./second-factor.tsx";
import { SignUpForm, type SignUpInput } from "./sign-up-form.tsx";

export interface SignUpProps {
  onSignedUp?: ((user: User) => void) | undefined;
  /** Whether to ask for a name. Default false: the user can add it later. */
  askName?: boolean | undefined;
  /** Stored with the new account. Its owner can read it. */
  metadata?: Record<string, unknown> | undefined;
  /** Whether the account replaces the signed-in anonymous user, under the same id. Default false. */
  upgrade?: boolean | undefined;
  /** Where to sign in: an address, or a function to call. Without it, nothing is offered. */
  signIn?: Other | undefined;
}

type Step =
  | { name: "form"; email?: string }
  | { name: "mail"; sent: MailSent; input: SignUpInput }
  | { name: "second"; mfa: MfaRequired };

/** Signs a user up with an address and a password, then in. Asks for a code from a mail if the application requires it. */
export function SignUp({ onSignedUp, askName = false, metadata, upgrade = false, signIn }: SignUpProps): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const idOf = useFieldIds();
  const [step, setStep] = useState<Step>({ name: "form" });
  const footer = signIn && <OtherWay question={texts.haveAccount} label={texts.signIn} other={signIn} />;

  function ask(input: SignUpInput): Promise<SignUpAnswer> {
    if (upgrade) return auth().upgrade(input);
    return auth().signUp({ ...input, ...(metadata === undefined ? {} : { metadata }) });
  }

  async function settle(answer: SignUpAnswer, input?: SignUpInput): Promise<void> {
    if (answer.status === "success") return onSignedUp?.(answer.user);
    if (answer.status === "mfa_required") return setStep({ name: "second", mfa: answer });
    if (input) setStep({ name: "mail", sent: answer, input });
  }

  if (step.name === "second") {
    const again = () => setStep({ name: "form" });
    return <SecondFactor mfa={step.mfa} onSignedIn={onSignedUp} onStartAgain={again} />;
  }
  if (step.name === "mail") {
    const { sent, input } = step;
    return (
      <Card title={texts.checkMail} footer={footer}>
        <MailCode
          watch
          sent={sent}
          intro={texts.signUpMailSent(input.email)}
          submit={texts.signUp}
          waiting={texts.signingUp}
          idOf={idOf}
          complete={async (proof) => {
            // The password goes with the proof, so that nobody else's password opens the account.
            await settle(await auth().completeRegistration({ ...proof, password: input.password }));
          }}
          resend={async () => settle(await ask(input), input)}
        >
          <LinkButton onClick={() => setStep({ name: "form", email: input.email })}>{texts.otherAddress}</LinkButton>
        </MailCode>
      </Card>
    );
  }
  return (
    <SignUpForm
      askName={askName}
      email={step.email}
      footer={footer}
      send={async (input) => settle(await ask(input), input)}
    />
  );
}
