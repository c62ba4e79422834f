import { type ReactElement, useState } from "react";
import type { MailSent } from "../client/api.gen.ts";
import { Card } from "./card.tsx";
import { useProvided } from "./context.ts";
import { Field, PasswordField, useFieldIds } from "./field.tsx";
import { Form } from "./form.tsx";
import { usePageAuth } from "./hooks.ts";
import { MailCode } from "./mail-code.tsx";
import { type Other, OtherWay } from "./other-way.tsx";

export interface ForgotPasswordProps {
  /** The address that the user typed before. */
  email?: string | undefined;
  /** Where to sign in: an address, or a function to call. Without it, nothing is offered. */
  signIn?: Other | undefined;
}

type Step = { name: "ask" } | { name: "reset"; sent: MailSent; email: string } | { name: "done" };

/** Sets a new password by a code that goes to the account's own address. Does not sign in. */
export function ForgotPassword({ email: known, signIn }: ForgotPasswordProps): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const idOf = useFieldIds();
  const [step, setStep] = useState<Step>({ name: "ask" });
  const footer = signIn && <OtherWay label={texts.backToSignIn} other={signIn} />;

  if (step.name === "done") {
    return (
      <Card title={texts.passwordWasReset} footer={footer}>
        <p role="status">{texts.passwordWasResetText}</p>
      </Card>
    );
  }
  if (step.name === "reset") {
    const { sent, email } = step;
    return (
      <Card title={texts.setNewPassword} footer={footer}>
        <MailCode
          sent={sent}
          intro={texts.resetMailSent(email)}
          submit={texts.setNewPassword}
          waiting={texts.saving}
          idOf={idOf}
          fields={{
            labels: { new_password: texts.newPassword },
            check: (values): Record<string, string> =>
              values.new_password ? {} : { new_password: texts.passwordMissing },
            render: (problems) => (
              <>
                {/* Password managers keep the new password under this name. */}
                <input
                  className="sallyport-unseen"
                  autoComplete="username"
                  value={email}
                  readOnly
                  tabIndex={-1}
                  aria-hidden
                />
                <PasswordField
                  id={idOf("new_password")}
                  name="new_password"
                  autoComplete="new-password"
                  label={texts.newPassword}
                  hint={texts.passwordHint}
                  problem={problems.new_password}
                  required
                />
              </>
            ),
          }}
          complete={async (proof, { new_password = "" }) => {
            await auth().resetPassword({ ...proof, new_password });
            setStep({ name: "done" });
          }}
          resend={async () => setStep({ ...step, sent: await auth().forgotPassword({ email }) })}
        />
      </Card>
    );
  }
  return (
    <Card title={texts.forgotPassword} footer={footer}>
      <p>{texts.forgotPasswordIntro}</p>
      <Form
        isNext
        submit={texts.sendMail}
        waiting={texts.sending}
        idOf={idOf}
        labels={{ email: texts.email }}
        check={({ email }): Record<string, string> => (email?.trim() ? {} : { email: texts.emailMissing })}
        send={async ({ email = "" }) => {
          const sent = await auth().forgotPassword({ email });
          setStep({ name: "reset", sent, email: email.trim() });
        }}
      >
        {({ email }) => (
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
        )}
      </Form>
    </Card>
  );
}
