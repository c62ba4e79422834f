import { type ReactElement, useState } from "react";
import { useAction } from "../action.ts";
import { ActionStatus } from "../action-status.tsx";
import { useProvided } from "../context.ts";
import { Dialog } from "../dialog.tsx";
import { saveFile } from "../download.ts";
import { Checkbox, useFieldIds } from "../field.tsx";
import { Form } from "../form.tsx";
import { usePageAuth } from "../hooks.ts";
import { Section } from "./section.tsx";

/** Lets users download the data that is kept about them, or delete their account. */
export function DataSection({ onDeleted }: { onDeleted?: (() => void) | undefined }): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const [isDeleting, setDeleting] = useState(false);
  const take = useAction(async () => {
    const data = await auth().client.me.export.query();
    saveFile("my-data.json", `${JSON.stringify(data, null, 2)}\n`, "application/json");
  });

  return (
    <>
      <Section title={texts.yourData} intro={texts.yourDataIntro}>
        <button type="button" className="sallyport-button" aria-disabled={take.isWaiting} onClick={() => take.run()}>
          {texts.downloadData}
        </button>
        <ActionStatus action={take} />
      </Section>
      <Section title={texts.deleteAccount} intro={texts.deleteAccountIntro}>
        <button type="button" className="sallyport-button sallyport-danger" onClick={() => setDeleting(true)}>
          {texts.deleteForever}
        </button>
        {isDeleting && <DeleteDialog onClose={() => setDeleting(false)} onDeleted={onDeleted} />}
      </Section>
    </>
  );
}

interface DeleteDialogProps {
  onClose: () => void;
  onDeleted: (() => void) | undefined;
}

function DeleteDialog({ onClose, onDeleted }: DeleteDialogProps): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const idOf = useFieldIds();
  return (
    <Dialog title={texts.deleteAccount} onClose={onClose}>
      <p>{texts.deleteAccountIntro}</p>
      <Form
        isDanger
        submit={texts.deleteForever}
        waiting={texts.deleting}
        idOf={idOf}
        labels={{ sure: texts.deleteAccountSure }}
        check={({ sure }): Record<string, string> => (sure ? {} : { sure: texts.notSure })}
        send={async () => {
          await auth().deleteAccount();
          onDeleted?.();
        }}
      >
        {({ sure }) => <Checkbox id={idOf("sure")} name="sure" label={texts.deleteAccountSure} problem={sure} />}
      </Form>
      <button type="button" className="sallyport-button" onClick={onClose}>
        {texts.cancel}
      </button>
    </Dialog>
  );
}
