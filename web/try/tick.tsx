import type { ReactElement } from "react";

/** A round mark beside a step that worked. The text beside it tells screen readers. */
export function Tick(): ReactElement {
  return (
    <span className="tick">
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path d="m5 10.5 3.5 3.5L15 7" />
      </svg>
    </span>
  );
}
