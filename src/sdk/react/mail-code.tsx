import { type ReactElement, type ReactNode, useEffect } from "react";
import type { MailSent } from "../client/api.gen.ts";
import type { MailProof } from "../client/session/sign-ins.ts";
import { useAction } from "./action.ts";
import { ActionStatus } from "./action-status.tsx";
import { useProvided } from "./context.ts";
import { CodeField } from "./field.tsx";
import { Form, type Values } from "./form.tsx";
import { useAuth } from "./hooks.ts";
import { LinkButton } from "./link-button.tsx";

export interface MailCodeProps {
  /** The answer about the latest mail. */
  sent: MailSent;
  intro: string;
  submit: string;
  waiting: string;
  /** Called with the values of `fields`. */
  complete: (proof: MailProof, values: Values) => Promise<void>;
  /** Sends another mail, and passes its answer on as the next `sent`. */
  resend: () => Promise<void>;
  /** Fields beside the code, and the check that they are filled in. */
  fields?: { labels: Values; check: (values: Values) => Values; render: (problems: Values) => ReactNode } | undefined;
  idOf: (name: string) => string;
  /** Whether the mail's link may sign in this browser from another tab. */
  watch?: boolean | undefined;
  children?: ReactNode;
}

/** Asks for the code from a mail. */
export function MailCode(props: MailCodeProps): ReactElement {
  const { sent, intro, submit, waiting, complete, resend, fields, idOf, watch = false, children } = props;
  const { texts } = useProvided();
  const again = useAction(async () => {
    await resend();
    return texts.sentAgain;
  });
  useReturn(watch);

  return (
    <>
      <p>{intro}</p>
      <Form
        isNext
        submit={submit}
        waiting={waiting}
        idOf={idOf}
        labels={{ code: texts.mailCodeLabel, ...fields?.labels }}
        check={(values) => ({ ...(values.code?.trim() ? {} : { code: texts.codeMissing }), ...fields?.check(values) })}
        send={({ code = "", ...values }) => complete({ flow_id: sent.flow_id, code }, values)}
        told={{ invalid_code: { code: texts.invalidCode } }}
      >
        {(problems) => (
          <>
            <CodeField
              id={idOf("code")}
              name="code"
              label={texts.mailCodeLabel}
              hint={texts.mailCodeHint}
              problem={problems.code}
            />
            {fields?.render(problems)}
          </>
        )}
      </Form>
      <div className="sallyport-ways">
        <LinkButton onClick={() => again.run()}>{texts.sendAgain}</LinkButton>
        {children}
      </div>
      <ActionStatus action={again} waiting={texts.sending} />
    </>
  );
}

/** A user who follows the mail's link signs in in another tab. This page notices when the user returns to it. */
function useReturn(isWatching: boolean): void {
  const auth = useAuth();
  useEffect(() => {
    if (!isWatching) return undefined;
    const look = () => {
      if (document.visibilityState === "visible") auth?.refresh().catch(() => {});
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [isWatching, auth]);
}
