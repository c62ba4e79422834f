import { type ReactElement, useEffect, useRef } from "react";
import type { Problem } from "./problem.ts";

/**
 * The form's problem. It takes the focus when it appears, and links to the fields. A second refusal is a new problem, and takes
 * the focus again.
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
                  // The address belongs to the application, whose router may read the fragment.
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
