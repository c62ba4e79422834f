import { type ReactElement, type ReactNode, useEffect } from "react";
import type { MfaRequired, User } from "../client/api.gen.ts";
import type { CallOptions } from "../client/types.ts";
import { ConfirmAddress, isUnproven } from "./confirm-address.tsx";
import { useProvided } from "./context.ts";
import { CodeField, useFieldIds } from "./field.tsx";
import { Form } from "./form.tsx";
import { usePageAuth } from "./hooks.ts";
import { Loaded, useLoaded } from "./loaded.tsx";
import { QrCode } from "./qr-code.tsx";

export interface TotpSetupFormProps {
  mfa?: MfaRequired | undefined;
  onDone?: ((user: User) => void) | undefined;
  options?: CallOptions | undefined;
  /** Called if the secret cannot be fetched. @returns whether the caller handled it */
  onRefused?: ((error: unknown) => void) | undefined;
  children?: ReactNode;
}

/** Shows the secret for an authenticator app, and asks for the code that proves that the app has it. */
export function TotpSetupForm({ mfa, onDone, options, onRefused, children }: TotpSetupFormProps): ReactElement {
  const { texts, showRecoveryCodes } = useProvided();
  const auth = usePageAuth();
  const idOf = useFieldIds();
  const setup = useLoaded(() => auth().setupTotp(mfa, options));

  const mustConfirm = isUnproven(setup.error);

  useEffect(() => {
    if (setup.error !== null && !mustConfirm) onRefused?.(setup.error);
  }, [setup.error, mustConfirm, onRefused]);

  async function enable(code: string): Promise<void> {
    const half = mfa ? { mfa_token: mfa.mfa_token } : {};
    const { user, recovery_codes } = await auth().enableTotp({ ...half, code }, options);
    showRecoveryCodes(recovery_codes);
    onDone?.(user);
  }

  const ways = children && <div className="sallyport-ways">{children}</div>;
  if (mustConfirm) {
    return (
      <>
        <ConfirmAddress mfa={mfa} onDone={setup.reload} />
        {ways}
      </>
    );
  }
  return (
    <>
      <Loaded of={setup}>
        {({ secret, otpauth_uri, qr_svg }) => (
          <>
            <p>{texts.setUpScan}</p>
            <QrCode svg={qr_svg} label={texts.qrCode} />
            <div>
              <p>{texts.setUpEnter}</p>
              <p className="sallyport-secret">
                <code>{secret.match(/.{1,4}/g)?.join(" ")}</code>
              </p>
              <p>
                <a className="sallyport-link" href={otpauth_uri}>
                  {texts.openApp}
                </a>
              </p>
            </div>
            <Form
              isNext
              submit={texts.turnOn}
              waiting={texts.confirming}
              idOf={idOf}
              labels={{ code: texts.totpCode }}
              check={({ code }): Record<string, string> => (code?.trim() ? {} : { code: texts.codeMissing })}
              send={({ code = "" }) => enable(code)}
              told={{ invalid_code: { code: texts.invalidCode } }}
            >
              {({ code }) => (
                <CodeField
                  id={idOf("code")}
                  name="code"
                  label={texts.totpCode}
                  hint={texts.setUpCodeHint}
                  problem={code}
                />
              )}
            </Form>
          </>
        )}
      </Loaded>
      {ways}
    </>
  );
}
