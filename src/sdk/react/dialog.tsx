import { type ReactElement, type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { useProvided } from "./context.ts";

export interface DialogProps {
  title: string;
  children: ReactNode;
  /** Called on Escape or by the close button; absent if the dialog can only be completed. */
  onClose?: (() => void) | undefined;
}

/** A modal dialog, the platform's own: it keeps the focus, hides the page behind it, and returns the focus. */
export function Dialog({ title, children, onClose }: DialogProps): ReactElement {
  const { texts } = useProvided();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();

  // Closed before it leaves the page, because a dialog that is merely removed does not return the focus.
  useLayoutEffect(() => {
    const { current } = dialog;
    if (current && !current.open) current.showModal();
    return () => current?.close();
  }, []);

  return (
    <dialog
      className="sallyport sallyport-card sallyport-dialog"
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onKeyDown={(event) => {
        // Chromium closes a dialog at the second Escape even if the first was prevented.
        if (event.key !== "Escape") return;
        event.preventDefault();
        onClose?.();
      }}
    >
      <div className="sallyport-dialog-head">
        <h2 className="sallyport-title" id={heading} tabIndex={-1}>
          {title}
        </h2>
        {onClose && (
          <button type="button" className="sallyport-close" aria-label={texts.close} onClick={onClose}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M3 3l10 10M13 3L3 13" />
            </svg>
          </button>
        )}
      </div>
      <div className="sallyport-stack">{children}</div>
    </dialog>
  );
}
