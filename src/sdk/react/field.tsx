import { type InputHTMLAttributes, type ReactElement, type Ref, useId, useState } from "react";
import { useProvided } from "./context.ts";

type Passed = "type" | "autoComplete" | "required" | "inputMode" | "autoCapitalize" | "spellCheck" | "defaultValue";

export interface FieldProps extends Pick<InputHTMLAttributes<HTMLInputElement>, Passed> {
  id: string;
  name: string;
  label: string;
  hint?: string | undefined;
  /** The field's problem, if any. */
  problem?: string | undefined;
  inputRef?: Ref<HTMLInputElement> | undefined;
}

/** A labelled input. Its hint and problem are tied to it, so that a screen reader announces them with it. */
export function Field({ id, label, hint, problem, inputRef, ...input }: FieldProps): ReactElement {
  return (
    <div className="sallyport-field">
      <label className="sallyport-label" htmlFor={id}>
        {label}
      </label>
      <input className="sallyport-input" id={id} ref={inputRef} {...described(id, hint, problem)} {...input} />
      <Descriptions id={id} hint={hint} problem={problem} />
    </div>
  );
}

/** A password that can be shown, because unseen typing makes long passwords fail. */
export function PasswordField({ id, label, hint, problem, inputRef, ...input }: FieldProps): ReactElement {
  const { texts } = useProvided();
  const [isShown, setShown] = useState(false);
  return (
    <div className="sallyport-field">
      <label className="sallyport-label" htmlFor={id}>
        {label}
      </label>
      <div className="sallyport-password">
        <input
          className="sallyport-input"
          id={id}
          ref={inputRef}
          autoCapitalize="none"
          spellCheck={false}
          {...described(id, hint, problem)}
          {...input}
          type={isShown ? "text" : "password"}
        />
        <button
          type="button"
          className="sallyport-show"
          aria-controls={id}
          aria-label={isShown ? texts.hidePassword : texts.showPassword}
          onClick={() => setShown(!isShown)}
        >
          {isShown ? texts.hide : texts.show}
        </button>
      </div>
      <Descriptions id={id} hint={hint} problem={problem} />
    </div>
  );
}

/**
 * A code that a user types or pastes, with or without its spaces and hyphens. A phone's keyboard shows digits, and offers the
 * code that has just arrived.
 */
export function CodeField({ isText = false, ...field }: FieldProps & { isText?: boolean }): ReactElement {
  return (
    <Field
      type="text"
      autoComplete={isText ? "off" : "one-time-code"}
      inputMode={isText ? "text" : "numeric"}
      autoCapitalize="none"
      spellCheck={false}
      required
      {...field}
    />
  );
}

/** A checkbox; `name` is sent as `on`. */
export function Checkbox({
  id,
  name,
  label,
  problem,
}: Pick<FieldProps, "id" | "name" | "label" | "problem">): ReactElement {
  return (
    <div className="sallyport-field">
      <label className="sallyport-check">
        <input type="checkbox" id={id} name={name} {...described(id, undefined, problem)} />
        <span>{label}</span>
      </label>
      <Descriptions id={id} hint={undefined} problem={problem} />
    </div>
  );
}

/** Makes ids for the fields of one form, by their names. */
export function useFieldIds(): (name: string) => string {
  const form = useId();
  return (name) => `${form}${name}`;
}

function described(id: string, hint: string | undefined, problem: string | undefined) {
  const by = [problem === undefined ? [] : `${id}-problem`, hint === undefined ? [] : `${id}-hint`].flat();
  return {
    "aria-invalid": problem !== undefined,
    "aria-describedby": by.length > 0 ? by.join(" ") : undefined,
  };
}

function Descriptions({ id, hint, problem }: Pick<FieldProps, "id" | "hint" | "problem">): ReactElement {
  return (
    <>
      {hint !== undefined && (
        <p className="sallyport-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem !== undefined && (
        <p className="sallyport-field-problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </>
  );
}
