import type { ReactElement } from "react";

/** An address to go to, or a function to call. */
export type Other = string | (() => void);

/** The link to another form, below this one. */
export function OtherWay({ question, label, other }: { question?: string; label: string; other: Other }): ReactElement {
  return (
    <p className="sallyport-footer">
      {question !== undefined && `${question} `}
      <Way label={label} other={other} />
    </p>
  );
}

/** A link to an address, or a button that looks like a link. */
export function Way({ label, other }: { label: string; other: Other }): ReactElement {
  if (typeof other === "string") {
    return (
      <a className="sallyport-link" href={other}>
        {label}
      </a>
    );
  }
  return (
    <button type="button" className="sallyport-link" onClick={other}>
      {label}
    </button>
  );
}
