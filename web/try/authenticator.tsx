import { type ReactElement, type ReactPortal, useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { fillCode } from "./fill.ts";
import { totpCode } from "./totp.ts";

const TICK = 1_000;
const KEY = "sallyport-try-authenticator";

/** Keeps the secret in this tab, so that signing in again still works after a reload. */
export function rememberedSecret(fresh: string | null): string | null {
  if (fresh !== null) sessionStorage.setItem(KEY, fresh);
  return fresh ?? sessionStorage.getItem(KEY);
}

/** Replaces a phone's app, so that a person without one at hand can see a second factor work. */
export function Authenticator({ secret }: { secret: string }): ReactElement | ReactPortal {
  const [shown, setShown] = useState<{ code: string; secondsLeft: number } | null>(null);
  /** The modal dialog that asks for the code. Nothing outside it can be pressed, so the app moves into it. */
  const [dialog, setDialog] = useState<HTMLElement | null>(null);
  const [hasNoField, setNoField] = useState(false);

  useEffect(() => {
    let isOver = false;
    const show = () => {
      setDialog(document.querySelector<HTMLElement>("dialog[open]:has(input[name=code])"));
      void totpCode(secret, Date.now()).then((next) => {
        if (!isOver) setShown(next);
      });
    };
    show();
    const timer = setInterval(show, TICK);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [secret]);

  const { code = "······", secondsLeft = 0 } = shown ?? {};
  const app = (
    <section className="panel authenticator" aria-labelledby="authenticator">
      <header>
        <h2 id="authenticator">Authenticator app</h2>
        <span className="muted small number">{secondsLeft} s</span>
      </header>
      <div className="mail">
        <div className="take">
          <p>
            <span className="muted small">Code of this moment</span>
            <bdi className="code" dir="ltr">
              {code.slice(0, 3)} {code.slice(3)}
            </bdi>
          </p>
          <button type="button" className="act" onClick={() => setNoField(!fillCode(code))}>
            Put it in the form
          </button>
        </div>
        {hasNoField && (
          <p className="small" role="status">
            No form is asking for a code.
          </p>
        )}
        <p className="muted small">
          Replaces your phone: this tab keeps the secret and shows the codes that an app would show.
        </p>
      </div>
    </section>
  );
  return dialog ? createPortal(app, dialog) : app;
}
