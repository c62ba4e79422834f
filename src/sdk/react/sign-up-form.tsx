import type { ReactElement, ReactNode } from "react";
import { Card } from "./card.tsx";
import { useProvided } from "./context.ts";
import { Field, PasswordField, useFieldIds } from "./field.tsx";
import { Form, type Values } from "./form.tsx";
import { Note } from "./note.tsx";

export interface SignUpInput {
  email: string;
  password: string;
  display_name?: string;
}

export interface SignUpFormProps {
  askName: boolean;
  /** The address that the user typed before. */
  email?: string | undefined;
  footer?: ReactNode;
  send: (input: SignUpInput) => Promise<void>;
}

/** Asks for an address, a password, and optionally a name. */
export function SignUpForm({ askName, email: known, footer, send }: SignUpFormProps): ReactElement {
  const { texts } = useProvided();
  const idOf = useFieldIds();

  function submit({ email = "", password = "", display_name = "" }: Values): Promise<void> {
    const name = display_name.trim();
    return send({ email: email.trim(), password, ...(name === "" ? {} : { display_name: name }) });
  }

  return (
    <Card title={texts.signUp} footer={footer}>
      <Note />
      <Form
        submit={texts.signUp}
        waiting={texts.signingUp}
        idOf={idOf}
        labels={{ display_name: texts.displayName, email: texts.email, password: texts.password }}
        check={({ email, password }) => ({
          ...(email?.trim() ? {} : { email: texts.emailMissing }),
          ...(password ? {} : { password: texts.passwordMissing }),
        })}
        send={submit}
        told={{ conflict: { email: texts.emailTaken }, forbidden: texts.signUpClosed }}
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
              defaultValue={known}
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
    </Card>
  );
}
