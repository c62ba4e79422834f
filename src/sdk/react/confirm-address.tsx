import { type ReactElement, useState } from "react";
import type { MailSent, MfaRequired } from "../client/api.gen.ts";
import { useProvided } from "./context.ts";
import { useFieldIds } from "./field.tsx";
import { usePageAuth } from "./hooks.ts";
import { Loaded, useLoaded } from "./loaded.tsx";
import { MailCode } from "./mail-code.tsx";

export interface ConfirmAddressProps {
  /** A sign-in that requires a set-up. Without it, the address is the signed-in user's. */
  mfa?: MfaRequired | undefined;
  /** Called when the address is proven, here or by the mail's link in another tab. */
  onDone: () => Promise<unknown>;
}

/** Whether a call was refused because the account's only address is unproven: {@link ConfirmAddress} is the next step. */
export const isUnproven = (error: unknown): boolean => codeOf(error) === "address_unproven";

const codeOf = (error: unknown) => (error as { code?: unknown } | null)?.code;

/** Asks for the code of the mail that proves the account's address. */
export function ConfirmAddress({ mfa, onDone }: ConfirmAddressProps): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const idOf = useFieldIds();
  const [latest, setLatest] = useState<MailSent | null>(null);
  const half = mfa ? { mfa_token: mfa.mfa_token } : {};

  async function ask(again: boolean): Promise<MailSent> {
    try {
      return await auth().client.auth.email.proof.mutate({ ...half, again }, { stepUp: false });
    } catch (error) {
      // The address was proven meanwhile.
      if (codeOf(error) === "conflict") await onDone();
      throw error;
    }
  }

  const first = useLoaded(() => ask(false));
  return (
    <Loaded of={first}>
      {(sent) => (
        <MailCode
          sent={latest ?? sent}
          intro={texts.confirmAddressIntro}
          submit={texts.confirm}
          waiting={texts.confirming}
          idOf={idOf}
          complete={async (proof) => {
            await auth().client.auth.email.verify.mutate({ ...proof, ...half }, { stepUp: false });
            // The user now has a proven address.
            if (!mfa) await auth().refresh();
            await onDone();
          }}
          resend={async () => setLatest(await ask(true))}
        />
      )}
    </Loaded>
  );
}
