import type { ReactElement } from "react";
import type { MfaRequired, User } from "../client/api.gen.ts";
import { Field, PasswordField, useFieldIds } from "./field.tsx";
import { Form } from "./form.tsx";
import { useAuth } from "./hooks.ts";
import { type Other, OtherWay } from "./other-way.tsx";
import { useProvided } from "./provider.tsx";

export interface SignInProps {
  onSignedIn?: ((user: User) => void) | undefined;
  /** The account has a second factor: nobody is signed in yet. Without this, the person is told that it is not offered. */
  onMfaRequired?: ((answer: MfaRequired) => void) | undefined;
  /** An organization that the person is a member of. */
  organization?: string | undefined;
  /** Where to sign up: an address, or what to do. Without it nothing is offered. */
  signUp?: Other | undefined;
}

/** A form that signs a person in with an address and a password. */
export function SignIn({ onSignedIn, onMfaRequired, organization, signUp }: SignInProps): ReactElement {
  const { texts } = useProvided();
  const auth = useAuth();
  const idOf = useFieldIds();

  async function send({ email = "", password = "" }: Readonly<Record<string, string>>): Promise<void> {
    const answer = await auth?.signIn({ email, password, ...(organization === undefined ? {} : { organization }) });
    if (answer?.status === "success") onSignedIn?.(answer.user);
    if (answer?.status !== "mfa_required") return;
    if (!onMfaRequired) throw texts.secondFactorNeeded;
    onMfaRequired(answer);
  }

  return (
    <Form
      title={texts.signIn}
      waiting={texts.signingIn}
      idOf={idOf}
      labels={{ email: texts.email, password: texts.password }}
      check={({ email, password }) => ({
        ...(email?.trim() ? {} : { email: texts.emailMissing }),
        ...(password ? {} : { password: texts.passwordMissing }),
      })}
      send={send}
      footer={signUp && <OtherWay question={texts.noAccount} label={texts.signUp} other={signUp} />}
    >
      {({ email, password }) => (
        <>
          <Field
            id={idOf("email")}
            name="email"
            type="email"
            autoComplete="username"
            label={texts.email}
            problem={email}
            required
          />
          <PasswordField
            id={idOf("password")}
            name="password"
            autoComplete="current-password"
            label={texts.password}
            problem={password}
            required
          />
        </>
      )}
    </Form>
  );
}
