import type { ReactElement } from "react";
import type { User } from "../client/api.gen.ts";
import { Field, PasswordField, useFieldIds } from "./field.tsx";
import { Form } from "./form.tsx";
import { useAuth } from "./hooks.ts";
import { type Other, OtherWay } from "./other-way.tsx";
import { useProvided } from "./provider.tsx";

export interface SignUpProps {
  onSignedUp?: ((user: User) => void) | undefined;
  /** Whether to ask for a name. Default false: it can be had later. */
  askName?: boolean | undefined;
  /** Stored with the new account, and readable by its owner. */
  metadata?: Record<string, unknown> | undefined;
  /** Where to sign in: an address, or what to do. Without it nothing is offered. */
  signIn?: Other | undefined;
}

/** A form that signs a person up with an address and a password, and in. */
export function SignUp({ onSignedUp, askName = false, metadata, signIn }: SignUpProps): ReactElement {
  const { texts } = useProvided();
  const auth = useAuth();
  const idOf = useFieldIds();

  async function send({ email = "", password = "", display_name = "" }: Readonly<Record<string, string>>) {
    const name = display_name.trim();
    const answer = await auth?.signUp({
      email,
      password,
      ...(name === "" ? {} : { display_name: name }),
      ...(metadata === undefined ? {} : { metadata }),
    });
    if (answer?.status === "success") onSignedUp?.(answer.user);
  }

  return (
    <Form
      title={texts.signUp}
      waiting={texts.signingUp}
      idOf={idOf}
      labels={{ display_name: texts.displayName, email: texts.email, password: texts.password }}
      check={({ email, password }) => ({
        ...(email?.trim() ? {} : { email: texts.emailMissing }),
        ...(password ? {} : { password: texts.passwordMissing }),
      })}
      send={send}
      footer={signIn && <OtherWay question={texts.haveAccount} label={texts.signIn} other={signIn} />}
    >
      {({ display_name, email, password }) => (
        <>
          {askName && (
            <Field
              id={idOf("display_name")}
              name="display_name"
              type="text"
              autoComplete="name"
              label={texts.displayName}
              hint={texts.displayNameHint}
              problem={display_name}
            />
          )}
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
            autoComplete="new-password"
            label={texts.password}
            hint={texts.passwordHint}
            problem={password}
            required
          />
        </>
      )}
    </Form>
  );
}
