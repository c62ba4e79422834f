import { type ReactElement, useEffect, useRef } from "react";
import type { Problem } from "./problem.ts";

/**
 * What went wrong. It takes the focus once it stands there and links to the fields; a second refusal is a new problem, and
 * takes the focus again.
 */
export function Summary({ problem, idOf }: { problem: Problem; idOf: (name: string) => string }): ReactElement {
  const whole = useRef<HTMLDivElement>(null);
  const entries = Object.entries(problem.fields);
  useEffect(() => {
    if (problem) whole.current?.focus();
  }, [problem]);
  return (
    <div className="sallyport-problem" role="alert" tabIndex={-1} ref={whole}>
      <p>{problem.summary}</p>
      {entries.length > 0 && (
        <ul>
          {entries.map(([name, text]) => (
            <li key={name}>
              <a
                href={`#${idOf(name)}`}
                onClick={(event) => {
                  // The address is the application's: a router of its own may read the fragment.
                  event.preventDefault();
                  document.getElementById(idOf(name))?.focus();
                }}
              >
                {text}
              </a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
