import { type ReactElement, useEffect, useId, useRef, useState } from "react";
import { useProvided } from "./context.ts";

export interface ConfirmButtonProps {
  label: string;
  /** The button's full name for screen readers, which may announce it without its surroundings. */
  name?: string | undefined;
  question: string;
  /** The label of the button that confirms. */
  yes: string;
  isWaiting: boolean;
  onConfirm: () => Promise<void>;
}

/** A button that asks, in place, before it does something that cannot be undone. It returns the focus. */
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
