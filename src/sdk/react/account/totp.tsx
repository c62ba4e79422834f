import { type ReactElement, useState } from "react";
import type { Security } from "../../client/api.gen.ts";
import { useAction } from "../action.ts";
import { ActionStatus } from "../action-status.tsx";
import { ConfirmButton } from "../confirm-button.tsx";
import { useProvided } from "../context.ts";
import { Dialog } from "../dialog.tsx";
import { usePageAuth } from "../hooks.ts";
import { TotpSetupForm } from "../totp-setup-form.tsx";
import { useDates } from "./dates.ts";
import { Section } from "./section.tsx";

/**
 * The authenticator app, and the recovery codes that replace it or a passkey. Recovery codes are the only way in for a user
 * whose second factor is a passkey and who has lost it.
 */
export function TotpSection({ security, onChange }: { security: Security; onChange: () => void }): ReactElement {
  const { texts, showRecoveryCodes } = useProvided();
  const auth = usePageAuth();
  const { day } = useDates();
  const [isSettingUp, setSettingUp] = useState(false);
  const { totp, passkeys, recovery_codes_left: left } = security;
  const hasFactor = totp !== null || passkeys > 0;
  const renew = useAction(async () => {
    const { recovery_codes } = await auth().client.auth.mfa.recoveryCodes.mutate();
    showRecoveryCodes(recovery_codes);
    onChange();
  });
  const disable = useAction(async () => {
    await auth().client.auth.mfa.disable.mutate();
    onChange();
    return texts.turnedOff;
  });

  return (
    <Section title={texts.secondFactors} intro={texts.secondFactorsIntro}>
      <p>{totp ? texts.totpOn(day(totp.enabled_at)) : texts.totpOff}</p>
      {hasFactor && <p>{left > 0 ? texts.codesLeft(left) : texts.noCodes}</p>}
      <div className="sallyport-row">
        {hasFactor && left > 0 && (
          <ConfirmButton
            label={texts.newCodes}
            question={texts.newCodesQuestion}
            yes={texts.makeNewCodes}
            isWaiting={renew.isWaiting}
            onConfirm={() => renew.run()}
          />
        )}
        {hasFactor && left === 0 && (
          <button
            type="button"
            className="sallyport-button"
            aria-disabled={renew.isWaiting}
            onClick={() => renew.run()}
          >
            {texts.makeCodes}
          </button>
        )}
        {totp ? (
          <ConfirmButton
            label={texts.turnOff}
            question={texts.turnOffQuestion}
            yes={texts.turnOff}
            isWaiting={disable.isWaiting}
            onConfirm={() => disable.run()}
          />
        ) : (
          <button type="button" className="sallyport-button" onClick={() => setSettingUp(true)}>
            {texts.setUpTotp}
          </button>
        )}
      </div>
      <ActionStatus action={renew} />
      <ActionStatus action={disable} />
      {isSettingUp && (
        <Dialog title={texts.setUpTotp} onClose={() => setSettingUp(false)}>
          <TotpSetupForm
            onDone={() => {
              setSettingUp(false);
              onChange();
            }}
          />
        </Dialog>
      )}
    </Section>
  );
}
