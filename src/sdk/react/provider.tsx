import { type ReactElement, type ReactNode, useMemo, useRef, useState } from "react";
import type { SallyportSession } from "../client/session/create-session.ts";
import { ConnectionNotice } from "./connection-notice.tsx";
import { SallyportContext } from "./context.ts";
import { RecoveryCodesDialog } from "./recovery-codes.tsx";
import { StepUpHost } from "./step-up.tsx";
import { english } from "./texts/english.ts";
import type { Texts } from "./texts/texts.ts";

export interface SallyportProviderProps {
  /** The session from `createSession`; null outside a page, such as on a server. */
  session: SallyportSession | null;
  /** Replaces the components' English texts: `german`, or your own. */
  texts?: Partial<Texts> | undefined;
  /**
   * Whether a dialog asks the user to prove more when a call needs it (`insufficient_user_authentication`), after which the call
   * is retried. Default true.
   */
  stepUp?: boolean | undefined;
  /**
   * Whether a notice above the children says why sign-in is impossible: the appliance is down, or refuses this page. Default
   * true. With false, place `<ConnectionNotice />` yourself.
   */
  notice?: boolean | undefined;
  children?: ReactNode;
}

/** Provides the session to the hooks and components below. */
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
    // The button that had the focus may be gone, as after a set-up. Then the part of the page around it takes the focus.
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
