import { type FocusEvent, type KeyboardEvent, type ReactElement, useEffect, useId, useRef, useState } from "react";
import { useProvided } from "./context.ts";
import { useAuth, useUser } from "./hooks.ts";
import { type Other, Way } from "./other-way.tsx";
import { problemOf } from "./problem.ts";

export interface UserButtonProps {
  /** Where the user's account is: an address, or a function to call. Without it, nothing is offered. */
  account?: Other | undefined;
}

/** A button with the user's initials that opens a panel with account and sign-out. Shows nothing while nobody is signed in. */
export function UserButton({ account }: UserButtonProps): ReactElement | null {
  const { texts } = useProvided();
  const user = useUser();
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const whole = useRef<HTMLDivElement>(null);
  const panel = useId();

  useEffect(() => {
    if (!isOpen) return undefined;
    const close = (event: PointerEvent) => {
      if (event.target instanceof Node && !whole.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    return () => document.removeEventListener("pointerdown", close);
  }, [isOpen]);

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !isOpen) return;
    setOpen(false);
    button.current?.focus();
  }

  function onBlur(event: FocusEvent<HTMLDivElement>): void {
    // Null if the window lost the focus: the panel stays open for its return.
    if (event.relatedTarget !== null && !event.currentTarget.contains(event.relatedTarget)) setOpen(false);
  }

  if (!user) return null;
  const name = user.display_name ?? user.email ?? user.id;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only handles the events of its button and panel.
    <div className="sallyport sallyport-user" ref={whole} onKeyDown={onKeyDown} onBlur={onBlur}>
      <button
        type="button"
        className="sallyport-avatar"
        ref={button}
        aria-expanded={isOpen}
        aria-controls={panel}
        onClick={() => setOpen(!isOpen)}
      >
        {initials(name)}
        <span className="sallyport-unseen"> {texts.account(name)}</span>
      </button>
      <div className="sallyport-panel" id={panel} hidden={!isOpen}>
        <p className="sallyport-name">{name}</p>
        {user.email !== null && user.email !== name && <p className="sallyport-email">{user.email}</p>}
        {account !== undefined && (
          <p className="sallyport-manage">
            <Way
              label={texts.manageAccount}
              other={
                typeof account === "string"
                  ? account
                  : () => {
                      setOpen(false);
                      // The element that had the focus is hidden now.
                      button.current?.focus();
                      account();
                    }
              }
            />
          </p>
        )}
        <SignOutButtons />
      </div>
    </div>
  );
}

function SignOutButtons(): ReactElement {
  const { texts } = useProvided();
  const auth = useAuth();
  const [isWaiting, setWaiting] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function leave(all: boolean): Promise<void> {
    if (isWaiting) return;
    setWaiting(true);
    setProblem(null);
    try {
      await auth?.signOut({ all });
    } catch (error) {
      setProblem(problemOf(error, texts, {}).summary);
    } finally {
      setWaiting(false);
    }
  }

  return (
    <>
      <button type="button" className="sallyport-button" aria-disabled={isWaiting} onClick={() => leave(false)}>
        {texts.signOut}
      </button>
      <button type="button" className="sallyport-button" aria-disabled={isWaiting} onClick={() => leave(true)}>
        {texts.signOutEverywhere}
      </button>
      <p className="sallyport-status" role="status">
        {isWaiting ? texts.signingOut : ""}
      </p>
      {problem !== null && (
        <p className="sallyport-field-problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

/** The initials of the first and the last word, or of an address. Counts code points, so that no character is cut in half. */
function initials(name: string): string {
  const words = name
    .replace(/@.*/, "")
    .split(/[\s._-]+/)
    .filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends.map((word) => [...(word ?? "")][0]?.toLocaleUpperCase() ?? "").join("");
}
