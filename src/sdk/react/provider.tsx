import { type ReactElement, type ReactNode, useMemo, useRef, useState } from "react";
import type { SallyportSession } from "../client/session/create-session.ts";
import { ConnectionNotice } from "./connection-notice.tsx";
import { SallyportContext } from "./context.ts";
import { RecoveryCodesDialog } from "./recovery-codes.tsx";
import { StepUpHost } from "./step-up.tsx";
import { english } from "./texts/english.ts";
import type { Texts } from "./texts/texts.ts";

export interface SallyportProviderProps {
  /** What `createSession` answered; null where there is no page, as when rendering on a server. */
  session: SallyportSession | null;
  /** In place of the English words of the components: `german`, or some of your own. */
  texts?: Partial<Texts> | undefined;
  /**
   * Whether a dialog asks the person to prove more when a call needs it (`insufficient_user_authentication`), and the call is
   * tried again. Default true.
   */
  stepUp?: boolean | undefined;
  /**
   * Whether a notice above the children says why nobody can sign in: the appliance is down, or refuses this page. Default
   * true. With false, place `<ConnectionNotice />` yourself.
   */
  notice?: boolean | undefined;
  children?: ReactNode;
}

/** Gives the session to the hooks and components below. */
export function SallyportProvider({
  session,
  texts,
  stepUp = true,
  notice = true,
  children,
}: SallyportProviderProps): ReactElement {
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const from = useRef<HTMLElement | null>(null);
  const provided = useMemo(() => {
    const showRecoveryCodes = (shown: readonly string[]) => {
      const section = document.activeElement?.closest(".sallyport-section");
      from.current = section?.querySelector<HTMLElement>(".sallyport-subtitle") ?? null;
      setCodes(shown);
    };
    return { session, texts: { ...english, ...texts }, hasNotice: notice, showRecoveryCodes };
  }, [session, texts, notice]);

  function onKept(): void {
    setCodes(null);
    // What had the focus before, a button to set up with, may be gone with what it did: then it goes to what it was part of.
    setTimeout(() => {
      if (document.activeElement === document.body) from.current?.focus();
    });
  }

  return (
    <SallyportContext.Provider value={provided}>
      {notice && <ConnectionNotice />}
      {children}
      {stepUp && session && <StepUpHost session={session} />}
      {codes && <RecoveryCodesDialog codes={codes} onKept={onKept} />}
    </SallyportContext.Provider>
  );
}
