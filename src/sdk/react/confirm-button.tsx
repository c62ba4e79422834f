import { type ReactElement, useEffect, useId, useRef, useState } from "react";
import { useProvided } from "./context.ts";

export interface ConfirmButtonProps {
  label: string;
  /** The name of the button for who hears it without what stands around it. */
  name?: string | undefined;
  question: string;
  /** On the button that does it. */
  yes: string;
  isWaiting: boolean;
  onConfirm: () => Promise<void>;
}

/** A button that asks before it does what cannot be taken back, in place, and gives the focus back. */
export function ConfirmButton(props: ConfirmButtonProps): ReactElement {
  const { label, name, question, yes, isWaiting, onConfirm } = props;
  const { texts } = useProvided();
  const [isAsking, setAsking] = useState(false);
  const wasAsking = useRef(false);
  const first = useRef<HTMLButtonElement>(null);
  const confirm = useRef<HTMLButtonElement>(null);
  const text = useId();

  useEffect(() => {
    if (isAsking) confirm.current?.focus();
    else if (wasAsking.current) first.current?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);

  if (!isAsking) {
    return (
      <button type="button" className="sallyport-button" ref={first} aria-label={name} onClick={() => setAsking(true)}>
        {label}
      </button>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form.
    <div
      className="sallyport-confirm"
      role="group"
      aria-labelledby={text}
      onKeyDown={(event) => {
        if (event.key === "Escape") setAsking(false);
      }}
    >
      <p id={text}>{question}</p>
      <button
        type="button"
        className="sallyport-button sallyport-danger"
        ref={confirm}
        aria-disabled={isWaiting}
        aria-describedby={text}
        onClick={() => onConfirm().then(() => setAsking(false))}
      >
        {yes}
      </button>
      <button type="button" className="sallyport-button" onClick={() => setAsking(false)}>
        {texts.cancel}
      </button>
    </div>
  );
}
