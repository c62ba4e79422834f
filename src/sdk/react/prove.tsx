import { type ReactElement, useState } from "react";
import type { MailSent } from "../client/api.gen.ts";
import type { SignInAnswer } from "../client/session/sign-ins.ts";
import { useAction } from "./action.ts";
import { ActionStatus } from "./action-status.tsx";
import { useProvided } from "./context.ts";
import { PasswordField, useFieldIds } from "./field.tsx";
import { Form } from "./form.tsx";
import { usePageAuth, useUser } from "./hooks.ts";
import { MailCode } from "./mail-code.tsx";

interface ProveProps {
  onAnswer: (answer: SignInAnswer) => void;
}

/** A signed-in user proves their identity again with their password. */
export function ProveByPassword({ onAnswer }: ProveProps): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const email = useUser()?.email ?? "";
  const idOf = useFieldIds();
  return (
    <Form
      isNext
      submit={texts.confirm}
      waiting={texts.confirming}
      idOf={idOf}
      labels={{ password: texts.password }}
      check={({ password }): Record<string, string> => (password ? {} : { password: texts.passwordMissing })}
      send={async ({ password = "" }) => onAnswer(await auth().stepUp({ method: "password", password }))}
      told={{ invalid_credentials: { password: texts.wrongPassword } }}
    >
      {({ password }) => (
        <>
          <input
            className="sallyport-unseen"
            autoComplete="username"
            value={email}
            readOnly
            tabIndex={-1}
            aria-hidden
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

/** The same with a passkey. */
export function ProveByPasskey({ onAnswer }: ProveProps): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const idOf = useFieldIds();
  return (
    <Form
      isNext
      submit={texts.usePasskeyInstead}
      waiting={texts.confirming}
      idOf={idOf}
      labels={{}}
      check={() => ({})}
      send={async () => onAnswer(await auth().signInWithPasskey())}
    >
      {() => <p>{texts.passkeyIntro}</p>}
    </Form>
  );
}

/** The same with a code mailed to the user's own address. */
export function ProveByMail({ onAnswer }: ProveProps): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const email = useUser()?.email ?? null;
  const idOf = useFieldIds();
  const [sent, setSent] = useState<MailSent | null>(null);
  const start = useAction(async (address: string) =>
    setSent(await auth().startEmailSignIn({ email: address, method: "email_code" })),
  );
  if (email === null) return <p role="status">{texts.stepUpImpossible}</p>;
  if (sent) {
    return (
      <MailCode
        sent={sent}
        intro={texts.addressMailSent(email)}
        submit={texts.confirm}
        waiting={texts.confirming}
        idOf={idOf}
        complete={async (proof) => {
          if ("code" in proof) onAnswer(await auth().stepUp({ method: "email_code", ...proof }));
        }}
        resend={() => start.run(email)}
      />
    );
  }
  return (
    <>
      <button
        type="button"
        className="sallyport-button sallyport-primary"
        aria-disabled={start.isWaiting}
        onClick={() => start.run(email)}
      >
        {texts.mailCodeToYou(email)}
      </button>
      <ActionStatus action={start} waiting={texts.sending} />
    </>
  );
}
