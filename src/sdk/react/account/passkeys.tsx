import { type ReactElement, useState } from "react";
import type { Passkey } from "../../client/api.gen.ts";
import { useAction } from "../action.ts";
import { ActionStatus } from "../action-status.tsx";
import { ConfirmAddress, isUnproven } from "../confirm-address.tsx";
import { ConfirmButton } from "../confirm-button.tsx";
import { useProvided } from "../context.ts";
import { Dialog } from "../dialog.tsx";
import { Field, useFieldIds } from "../field.tsx";
import { Form } from "../form.tsx";
import { usePageAuth } from "../hooks.ts";
import { LinkButton } from "../link-button.tsx";
import { useDates } from "./dates.ts";
import { Entries, usePages } from "./pages.tsx";
import { Section } from "./section.tsx";

/** A user's passkeys: add, name, remove. */
export function PasskeysSection({ onChange }: { onChange: () => void }): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const calls = () => auth().client.me.passkeys;
  const passkeys = usePages((input) => calls().list.query(input));
  const [isConfirming, setConfirming] = useState(false);
  const add = useAction(async () => {
    try {
      await auth().registerPasskey();
    } catch (error) {
      if (!isUnproven(error)) throw error;
      setConfirming(true);
      return undefined;
    }
    await passkeys.reload();
    onChange();
    return texts.passkeyAdded;
  });
  const remove = useAction(async (id: string) => {
    await calls().remove.mutate({ id });
    await passkeys.reload();
    onChange();
  });

  return (
    <Section title={texts.passkeys} intro={texts.passkeysIntro}>
      <Entries of={passkeys} none={texts.noPasskeys}>
        {(passkey) => (
          <PasskeyEntry
            passkey={passkey}
            isWaiting={remove.isWaiting}
            onRename={async (name) => {
              await calls().rename.mutate({ id: passkey.id, name });
              await passkeys.reload();
            }}
            onRemove={() => remove.run(passkey.id)}
          />
        )}
      </Entries>
      <ActionStatus action={remove} />
      <button type="button" className="sallyport-button" aria-disabled={add.isWaiting} onClick={() => add.run()}>
        {texts.addPasskey}
      </button>
      <ActionStatus action={add} />
      {isConfirming && (
        <Dialog title={texts.addPasskey} onClose={() => setConfirming(false)}>
          <ConfirmAddress
            onDone={async () => {
              setConfirming(false);
              await add.run();
            }}
          />
        </Dialog>
      )}
    </Section>
  );
}

interface PasskeyEntryProps {
  passkey: Passkey;
  isWaiting: boolean;
  onRename: (name: string) => Promise<void>;
  onRemove: () => Promise<void>;
}

function PasskeyEntry({ passkey, isWaiting, onRename, onRemove }: PasskeyEntryProps): ReactElement {
  const { texts } = useProvided();
  const { day } = useDates();
  const idOf = useFieldIds();
  const [isNaming, setNaming] = useState(false);
  const { name, created_at, last_used_at } = passkey;
  const used = last_used_at === null ? texts.neverUsed : texts.lastUsedAt(day(last_used_at));

  if (isNaming) {
    return (
      <div className="sallyport-stack">
        <Form
          isNext
          isQuiet
          submit={texts.save}
          waiting={texts.saving}
          idOf={idOf}
          labels={{ name: texts.passkeyName }}
          check={(values): Record<string, string> => (values.name?.trim() ? {} : { name: texts.nameMissing })}
          send={async (values) => {
            await onRename(values.name?.trim() ?? "");
            setNaming(false);
          }}
        >
          {(problems) => (
            <Field
              id={idOf("name")}
              name="name"
              type="text"
              autoComplete="off"
              label={texts.passkeyName}
              defaultValue={name}
              problem={problems.name}
            />
          )}
        </Form>
        <div className="sallyport-ways">
          <LinkButton onClick={() => setNaming(false)}>{texts.cancel}</LinkButton>
        </div>
      </div>
    );
  }
  return (
    <>
      <div>
        <p className="sallyport-entry-name">
          {name}
          <span className="sallyport-badge">{passkey.backed_up ? texts.synced : texts.onThisDevice}</span>
        </p>
        <p className="sallyport-hint">
          {texts.addedAt(day(created_at))}, {used}
        </p>
      </div>
      <div className="sallyport-row">
        <button
          type="button"
          className="sallyport-button"
          aria-label={texts.renameOf(name)}
          onClick={() => setNaming(true)}
        >
          {texts.rename}
        </button>
        <ConfirmButton
          label={texts.remove}
          name={texts.removeOf(name)}
          question={texts.removeQuestion(name)}
          yes={texts.remove}
          isWaiting={isWaiting}
          onConfirm={onRemove}
        />
      </div>
    </>
  );
}
