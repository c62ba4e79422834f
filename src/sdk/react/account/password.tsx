import { type ReactElement, useState } from "react";
import type { Security } from "../../client/api.gen.ts";
import { useProvided } from "../context.ts";
import { PasswordField, useFieldIds } from "../field.tsx";
import { Form } from "../form.tsx";
import { usePageAuth, useUser } from "../hooks.ts";
import { LinkButton } from "../link-button.tsx";
import { useDates } from "./dates.ts";
import { Section } from "./section.tsx";

/** Changes the user's password, or sets one if there is none. */
export function PasswordSection({ security, onChange }: { security: Security; onChange: () => void }): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const email = useUser()?.email ?? "";
  const { day } = useDates();
  const idOf = useFieldIds();
  const [isOpen, setOpen] = useState(false);
  const [said, setSaid] = useState("");
  const has = security.password !== null;
  const title = has ? texts.changePassword : texts.setPassword;

  async function send(current_password: string, new_password: string): Promise<void> {
    const { auth: own, me } = auth().client;
    if (has) await own.password.change.mutate({ current_password, new_password });
    else await me.password.set.mutate({ new_password });
    setSaid(has ? texts.passwordChanged : texts.saved);
    setOpen(false);
    onChange();
  }

  return (
    <Section title={texts.password} intro={has ? texts.passwordIntro : undefined}>
      <p>{security.password ? texts.passwordSince(day(security.password.set_at)) : texts.passwordNone}</p>
      <p className="sallyport-status" role="status">
        {said}
      </p>
      {!isOpen && (
        <button type="button" className="sallyport-button" onClick={() => setOpen(true)}>
          {title}
        </button>
      )}
      {isOpen && (
        <>
          <Form
            isNext
            submit={title}
            waiting={texts.saving}
            idOf={idOf}
            labels={{ ...(has ? { current_password: texts.currentPassword } : {}), new_password: texts.newPassword }}
            check={({ current_password, new_password }) => ({
              ...(has && !current_password ? { current_password: texts.passwordMissing } : {}),
              ...(new_password ? {} : { new_password: texts.passwordMissing }),
            })}
            send={({ current_password = "", new_password = "" }) => send(current_password, new_password)}
            told={{ invalid_credentials: { current_password: texts.wrongPassword } }}
          >
            {(problems) => (
              <>
                <input
                  className="sallyport-unseen"
                  autoComplete="username"
                  value={email}
                  readOnly
                  tabIndex={-1}
                  aria-hidden
                />
                {has && (
                  <PasswordField
                    id={idOf("current_password")}
                    name="current_password"
                    autoComplete="current-password"
                    label={texts.currentPassword}
                    problem={problems.current_password}
                    required
                  />
                )}
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
            )}
          </Form>
          <div className="sallyport-ways">
            <LinkButton onClick={() => setOpen(false)}>{texts.cancel}</LinkButton>
          </div>
        </>
      )}
    </Section>
  );
}
