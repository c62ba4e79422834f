import type { ReactElement, ReactNode } from "react";

/** A small button that looks like a link: a step back, or another way. */
export function LinkButton({ onClick, children }: { onClick: () => void; children: ReactNode }): ReactElement {
  return (
    <button type="button" className="sallyport-link" onClick={onClick}>
      {children}
    </button>
  );
}
