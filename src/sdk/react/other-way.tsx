import type { ReactElement } from "react";

/** An address to go to, or what to do. */
export type Other = string | (() => void);

/** The way to the other form, below this one. */
export function OtherWay({ question, label, other }: { question: string; label: string; other: Other }): ReactElement {
  return (
    <p className="sallyport-footer">
      {question}{" "}
      {typeof other === "string" ? (
        <a className="sallyport-link" href={other}>
          {label}
        </a>
      ) : (
        <button type="button" className="sallyport-link" onClick={other}>
          {label}
        </button>
      )}
    </p>
  );
}
