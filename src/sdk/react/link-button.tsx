import type { ReactElement, ReactNode } from "react";

/** A small thing to do that reads as a link: a step back, another way. */
export function LinkButton({ onClick, children }: { onClick: () => void; children: ReactNode }): ReactElement {
  return (
    <button type="button" className="sallyport-link" onClick={onClick}>
      {children}
    </button>
  );
}
