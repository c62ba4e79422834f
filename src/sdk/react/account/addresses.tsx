import { type ReactElement, useState } from "react";
import type { Email, MailSent } from "../../client/api.gen.ts";
import type { MailProof } from "../../client/session/sign-ins.ts";
import { useAction } from "../action.ts";
import { ActionStatus } from "../action-status.tsx";
import { ConfirmButton } from "../confirm-button.tsx";
import { useProvided } from "../context.ts";
import { Field, useFieldIds } from "../field.tsx";
import { Form } from "../form.tsx";
import { usePageAuth } from "../hooks.ts";
import { LinkButton } from "../link-button.tsx";
import { MailCode } from "../mail-code.tsx";
import { Entries, usePages } from "./pages.tsx";
import { Section } from "./section.tsx";

/** A mail whose code the form waits for, and how to request another. */
interface Proving {
  email: string;
  sent: MailSent;
  again: () => Promise<MailSent>;
}

/** The user's email addresses: adds more, makes one primary, and verifies them. */
export function AddressesSection(): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const calls = () => auth().client;
  const emails = usePages((input) => calls().me.emails.list.query(input));
  const [proving, setProving] = useState<Proving | null>(null);
  const idOf = useFieldIds();
  const change = useAction(async (work: () => Promise<unknown>) => {
    await work();
    // The profile shows the primary address.
    await Promise.all([emails.reload(), auth().refresh()]);
  });

  async function prove(email: string, again: () => Promise<MailSent>): Promise<void> {
    setProving({ email, sent: await again(), again });
  }

  async function complete(proof: MailProof): Promise<void> {
    await calls().auth.email.verify.mutate(proof);
    setProving(null);
    await change.run(async () => {});
  }

  return (
    <Section title={texts.addresses} intro={texts.addressesIntro}>
      <Entries of={emails}>
        {(email) => (
          <Address
            email={email}
            isWaiting={change.isWaiting}
            onVerify={() => prove(email.email, () => calls().me.emails.verify.mutate({ id: email.id }))}
            onPrimary={() => change.run(() => calls().me.emails.makePrimary.mutate({ id: email.id }))}
            onRemove={() => change.run(() => calls().me.emails.remove.mutate({ id: email.id }))}
          />
        )}
      </Entries>
      <ActionStatus action={change} waiting={texts.saving} />
      {proving ? (
        <MailCode
          sent={proving.sent}
          intro={texts.addressMailSent(proving.email)}
          submit={texts.confirm}
          waiting={texts.confirming}
          idOf={idOf}
          complete={complete}
          resend={() => prove(proving.email, proving.again)}
        >
          <LinkButton onClick={() => setProving(null)}>{texts.cancel}</LinkButton>
        </MailCode>
      ) : (
        <Form
          isQuiet
          resets
          submit={texts.addAddress}
          waiting={texts.sending}
          idOf={idOf}
          labels={{ email: texts.newAddress }}
          check={({ email }): Record<string, string> => (email?.trim() ? {} : { email: texts.emailMissing })}
          send={({ email = "" }) => prove(email.trim(), () => calls().me.emails.add.mutate({ email: email.trim() }))}
          told={{ conflict: { email: texts.emailTaken } }}
        >
          {(problems) => (
            <Field
              id={idOf("email")}
              name="email"
              type="email"
              autoComplete="email"
              label={texts.newAddress}
              problem={problems.email}
              required
            />
          )}
        </Form>
      )}
    </Section>
  );
}

interface AddressProps {
  email: Email;
  isWaiting: boolean;
  onVerify: () => Promise<void>;
  onPrimary: () => Promise<void>;
  onRemove: () => Promise<void>;
}

function Address({ email, isWaiting, onVerify, onPrimary, onRemove }: AddressProps): ReactElement {
  const { texts } = useProvided();
  const verify = useAction(onVerify);
  const isVerified = email.verified_at !== null;
  return (
    <>
      <p className="sallyport-entry-name">
        {email.email}
        {email.is_primary && <span className="sallyport-badge">{texts.primary}</span>}
        {!isVerified && <span className="sallyport-badge sallyport-badge-open">{texts.unverified}</span>}
      </p>
      <div className="sallyport-row">
        {!isVerified && (
          <button
            type="button"
            className="sallyport-button"
            aria-label={texts.verifyOf(email.email)}
            aria-disabled={verify.isWaiting}
            onClick={() => verify.run()}
          >
            {texts.verify}
          </button>
        )}
        {isVerified && !email.is_primary && (
          <button
            type="button"
            className="sallyport-button"
            aria-label={texts.makePrimaryOf(email.email)}
            aria-disabled={isWaiting}
            onClick={() => onPrimary()}
          >
            {texts.makePrimary}
          </button>
        )}
        {!email.is_primary && (
          <ConfirmButton
            label={texts.remove}
            name={texts.removeOf(email.email)}
            question={texts.removeQuestion(email.email)}
            yes={texts.remove}
            isWaiting={isWaiting}
            onConfirm={onRemove}
          />
        )}
      </div>
      {verify.problem !== null && <ActionStatus action={verify} />}
    </>
  );
}
