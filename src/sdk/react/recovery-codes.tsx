import type { ReactElement } from "react";
import { useAction } from "./action.ts";
import { ActionStatus } from "./action-status.tsx";
import { useProvided } from "./context.ts";
import { Dialog } from "./dialog.tsx";
import { saveFile } from "./download.ts";
import { Checkbox, useFieldIds } from "./field.tsx";
import { Form } from "./form.tsx";

/** Shows new recovery codes until the user confirms that they are kept, because they cannot be shown again. */
export function RecoveryCodesDialog({ codes, onKept }: { codes: readonly string[]; onKept: () => void }): ReactElement {
  const { texts } = useProvided();
  const idOf = useFieldIds();
  const copy = useAction(
    async () => {
      await navigator.clipboard.writeText(codes.join("\n")).catch(() => Promise.reject({ code: "clipboard" }));
      return texts.copied;
    },
    { clipboard: texts.cannotCopy },
  );

  return (
    <Dialog title={texts.recoveryCodes}>
      <p>{texts.recoveryCodesIntro}</p>
      <ul className="sallyport-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="sallyport-row">
        <button type="button" className="sallyport-button" onClick={() => copy.run()}>
          {texts.copy}
        </button>
        <button
          type="button"
          className="sallyport-button"
          onClick={() => saveFile("recovery-codes.txt", `${texts.recoveryFile}\n\n${codes.join("\n")}\n`, "text/plain")}
        >
          {texts.download}
        </button>
      </div>
      <ActionStatus action={copy} />
      <Form
        submit={texts.done}
        waiting=""
        idOf={idOf}
        labels={{ kept: texts.codesKept }}
        check={({ kept }): Record<string, string> => (kept ? {} : { kept: texts.codesNotKept })}
        send={async () => onKept()}
      >
        {({ kept }) => <Checkbox id={idOf("kept")} name="kept" label={texts.codesKept} problem={kept} />}
      </Form>
    </Dialog>
  );
}
