import { type ReactElement, useState } from "react";
import type { MailSent, MfaRequired, User } from "../client/api.gen.ts";
import type { SignInAnswer } from "../client/session/sign-ins.ts";
import { Card } from "./card.tsx";
import { useProvided } from "./context.ts";
import { useFieldIds } from "./field.tsx";
import { ForgotPassword } from "./forgot-password.tsx";
import { usePageAuth } from "./hooks.ts";
import { LinkButton } from "./link-button.tsx";
import { MailCode } from "./mail-code.tsx";
import type { Other } from "./other-way.tsx";
import { SecondFactor } from "./second-factor.tsx";
import { SignInForm, type SignInMethod } from "./sign-in-form.tsx";

export interface SignInProps {
  /**
   * The methods to offer. The application has to allow them (`sign_in_methods`). Default: password and passkey, which a new
   * application allows.
   */
  methods?: readonly SignInMethod[] | undefined;
  onSignedIn?: ((user: User) => void) | undefined;
  /** Takes over the second factor. Without it, this component asks for it, or for its set-up if required. */
  onMfaRequired?: ((answer: MfaRequired) => void) | undefined;
  /** Offers to skip the second factor on this device, if the application allows it. Default false. */
  offerRemember?: boolean | undefined;
  /** An organization of which the user is a member. */
  organization?: string | undefined;
  /** Where to sign up: an address, or a function to call. Without it, nothing is offered. */
  signUp?: Other | undefined;
  /** Where a user who forgot the password goes: an address, or a function to call. Default: this component helps. */
  forgotPassword?: Other | undefined;
}

type Step =
  | { name: "first"; email?: string; problem?: string | null }
  | { name: "mail"; sent: MailSent; email: string; method: "magic_link" | "email_code" }
  | { name: "second"; mfa: MfaRequired }
  | { name: "forgot"; email: string };

const DEFAULT: readonly SignInMethod[] = ["password", "passkey"];

/** Signs a user in by a password, a passkey or a mail, and asks for the second factor if there is one. */
export function SignIn(props: SignInProps): ReactElement {
  const { methods = DEFAULT, onSignedIn, onMfaRequired, offerRemember, organization, signUp, forgotPassword } = props;
  const { texts } = useProvided();
  const auth = usePageAuth();
  const idOf = useFieldIds();
  const [step, setStep] = useState<Step>({ name: "first" });
  const target = organization === undefined ? {} : { organization };

  /** Handles the answer to any first factor. */
  async function settle(answer: SignInAnswer): Promise<void> {
    if (answer.status === "success") return onSignedIn?.(answer.user);
    if (onMfaRequired) return onMfaRequired(answer);
    setStep({ name: "second", mfa: answer });
  }

  switch (step.name) {
    case "mail": {
      const { email, method, sent } = step;
      const start = async () => setStep({ ...step, sent: await auth().startEmailSignIn({ email, method }) });
      return (
        <Card title={texts.checkMail}>
          <MailCode
            watch
            sent={sent}
            intro={texts.signInMailSent(email)}
            submit={texts.signIn}
            waiting={texts.signingIn}
            idOf={idOf}
            complete={async (proof) => settle(await auth().completeEmailSignIn({ ...proof, ...target }))}
            resend={start}
          >
            <LinkButton onClick={() => setStep({ name: "first", email })}>{texts.otherAddress}</LinkButton>
          </MailCode>
        </Card>
      );
    }
    case "second":
      return (
        <SecondFactor
          mfa={step.mfa}
          onSignedIn={onSignedIn}
          offerRemember={offerRemember}
          onStartAgain={(problem) => setStep({ name: "first", problem })}
        />
      );
    case "forgot":
      return <ForgotPassword email={step.email} signIn={() => setStep({ name: "first", email: step.email })} />;
    default:
      return (
        <SignInForm
          key={step.problem}
          methods={methods}
          target={target}
          email={step.email}
          problem={step.problem}
          onAnswer={settle}
          onMailSent={(sent, email, method) => setStep({ name: "mail", sent, email, method })}
          signUp={signUp}
          forgotPassword={forgotPassword ?? ((email: string) => setStep({ name: "forgot", email }))}
        />
      );
  }
}
