import { type FormEvent, type ReactElement, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { type Problem, problemOf } from "./problem.ts";
import { useProvided } from "./provider.tsx";

export interface FormProps {
  title: string;
  /** Said while the answer is awaited. */
  waiting: string;
  /** The fields, by their names. */
  children: (problems: Readonly<Record<string, string>>) => ReactNode;
  footer?: ReactNode;
  idOf: (name: string) => string;
  /** The labels of the fields that are sent, by name. */
  labels: Readonly<Record<string, string>>;
  /** What is missing, by field, before anything is sent. */
  check: (values: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** Rejects with what is to be told; a string is told as it is. */
  send: (values: Readonly<Record<string, string>>) => Promise<void>;
}

/**
 * A form that tells what went wrong: a summary that takes the focus and links to the fields. Values stay in the inputs,
 * where password managers look for them, and never in state. `method="post"` keeps a password out of the address if the
 * form is sent before its script runs.
 */
export function Form({ title, waiting, children, footer, idOf, labels, check, send }: FormProps): ReactElement {
  const { texts } = useProvided();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isWaiting, setWaiting] = useState(false);
  const summary = useRef<HTMLDivElement>(null);
  const heading = useId();

  // Moved once it stands there; a second refusal is a new problem, and takes the focus again.
  useEffect(() => {
    if (problem) summary.current?.focus();
  }, [problem]);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (isWaiting) return;
    const data = new FormData(event.currentTarget);
    const values = Object.fromEntries(Object.keys(labels).map((name) => [name, String(data.get(name) ?? "")]));
    const missing = check(values);
    if (Object.keys(missing).length > 0) return setProblem({ summary: texts.fieldProblems, fields: missing });
    setWaiting(true);
    try {
      await send(values);
      setProblem(null);
    } catch (error) {
      setProblem(typeof error === "string" ? { summary: error, fields: {} } : problemOf(error, texts, labels));
    } finally {
      setWaiting(false);
    }
  }

  return (
    <section className="sallyport sallyport-card" aria-labelledby={heading}>
      <h2 className="sallyport-title" id={heading}>
        {title}
      </h2>
      <form className="sallyport-form" method="post" noValidate aria-busy={isWaiting} onSubmit={submit}>
        {problem && <Summary problem={problem} idOf={idOf} summaryRef={summary} />}
        {children(problem?.fields ?? {})}
        <button type="submit" className="sallyport-button sallyport-primary" aria-disabled={isWaiting}>
          {title}
        </button>
        <p className="sallyport-status" role="status">
          {isWaiting ? waiting : ""}
        </p>
      </form>
      {footer}
    </section>
  );
}

interface SummaryProps {
  problem: Problem;
  idOf: (name: string) => string;
  summaryRef: { readonly current: HTMLDivElement | null };
}

function Summary({ problem, idOf, summaryRef }: SummaryProps): ReactElement {
  const entries = Object.entries(problem.fields);
  return (
    <div className="sallyport-problem" role="alert" tabIndex={-1} ref={summaryRef}>
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
