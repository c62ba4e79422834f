import type { ReactElement, ReactNode } from "react";
import type { MfaRequired, User } from "../client/api.gen.ts";
import { Card } from "./card.tsx";
import { useProvided } from "./context.ts";
import { TotpSetupForm } from "./totp-setup-form.tsx";

export interface SecondFactorSetupProps {
  /** A sign-in that requires the set-up (`setup_required`). Without it, the set-up is for the signed-in user. */
  mfa?: MfaRequired | undefined;
  onDone?: ((user: User) => void) | undefined;
  /** Shown beside the form: the way back. */
  children?: ReactNode;
}

/** Sets up an authenticator app: a QR code, a code from the app, and the recovery codes to keep. */
export function SecondFactorSetup({ mfa, onDone, children }: SecondFactorSetupProps): ReactElement {
  const { texts } = useProvided();
  return (
    <Card title={texts.setUpTotp}>
      {mfa && <p>{texts.setUpRequired}</p>}
      <TotpSetupForm mfa={mfa} onDone={onDone}>
        {children}
      </TotpSetupForm>
    </Card>
  );
}
