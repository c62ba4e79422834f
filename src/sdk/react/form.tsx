import { type FormEvent, type ReactElement, type ReactNode, useEffect, useRef, useState } from "react";
import { useProvided } from "./context.ts";
import { type Problem, problemOf, type Told } from "./problem.ts";
import { Summary } from "./summary.tsx";

export type Values = Readonly<Record<string, string>>;

export interface FormProps {
  /** The button's label. */
  submit: string;
  /** Announced while the form waits for the answer. */
  waiting: string;
  /** The fields, by their names. */
  children: (problems: Values) => ReactNode;
  /** Below the button, but inside the form. Other buttons that send it have `name="via"`. */
  actions?: ReactNode;
  idOf: (name: string) => string;
  /** The labels of the fields that are sent, by name. */
  labels: Values;
  /** Returns the problems, by field, before anything is sent. */
  check: (values: Values, via: string) => Values;
  /** May return a message to show. Rejects with the problem to show; a string is shown as it is. */
  send: (values: Values, via: string) => Promise<unknown>;
  /** This form's own messages, by the refusal's code, in place of the general ones. */
  told?: Told | undefined;
  /** Focuses the first field, for a step that the user has just opened. */
  isNext?: boolean | undefined;
  /** Empties the form once it was sent. */
  resets?: boolean | undefined;
  /** The form stands among others, and its button is not the page's main one. */
  isQuiet?: boolean | undefined;
  /** The form does something that cannot be undone. */
  isDanger?: boolean | undefined;
}

/**
 * A form that shows its problems. Values stay in the inputs, where password managers look for them, and never in state.
 * `method="post"` keeps a password out of the address if the form is sent before its script runs.
 */
export function Form(props: FormProps): ReactElement {
  const { submit, waiting, children, actions, idOf, labels, check, send, told, isNext, resets, isQuiet, isDanger } =
    props;
  const { texts } = useProvided();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isWaiting, setWaiting] = useState(false);
  const [said, setSaid] = useState("");
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (isNext) form.current?.querySelector<HTMLElement>('input:not([tabindex="-1"]), button')?.focus();
  }, [isNext]);

  async function onSubmit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (isWaiting) return;
    const data = new FormData(event.currentTarget);
    const { submitter } = event.nativeEvent as SubmitEvent;
    const via = submitter instanceof HTMLButtonElement ? submitter.value : "";
    const values = Object.fromEntries(Object.keys(labels).map((name) => [name, String(data.get(name) ?? "")]));
    const missing = check(values, via);
    if (Object.keys(missing).length > 0) return setProblem({ summary: texts.fieldProblems, fields: missing });
    setWaiting(true);
    setSaid("");
    try {
      const answer = await send(values, via);
      setSaid(typeof answer === "string" ? answer : "");
      setProblem(null);
      if (resets) form.current?.reset();
    } catch (error) {
      setProblem(typeof error === "string" ? { summary: error, fields: {} } : problemOf(error, texts, labels, told));
    } finally {
      setWaiting(false);
    }
  }

  const tone = isDanger ? " sallyport-danger" : isQuiet ? "" : " sallyport-primary";
  return (
    <form className="sallyport-form" method="post" noValidate aria-busy={isWaiting} ref={form} onSubmit={onSubmit}>
      {problem && <Summary problem={problem} idOf={idOf} />}
      {children(problem?.fields ?? {})}
      <button type="submit" className={`sallyport-button${tone}`} aria-disabled={isWaiting}>
        {submit}
      </button>
      <p className="sallyport-status" role="status">
        {isWaiting ? waiting : said}
      </p>
      {actions}
    </form>
  );
}
