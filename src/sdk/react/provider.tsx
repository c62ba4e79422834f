import { createContext, type ReactElement, type ReactNode, useContext, useMemo } from "react";
import type { SallyportSession } from "../client/session/create-session.ts";
import { english, type Texts } from "./texts.ts";

interface Provided {
  session: SallyportSession | null;
  texts: Texts;
}

const SallyportContext = createContext<Provided | null>(null);

export interface SallyportProviderProps {
  /** What `createSession` answered; null where there is no page, as when rendering on a server. */
  session: SallyportSession | null;
  /** In place of the English words of the components. */
  texts?: Partial<Texts> | undefined;
  children?: ReactNode;
}

/** Gives the session to the hooks and components below. */
export function SallyportProvider({ session, texts, children }: SallyportProviderProps): ReactElement {
  const provided = useMemo(() => ({ session, texts: { ...english, ...texts } }), [session, texts]);
  return <SallyportContext.Provider value={provided}>{children}</SallyportContext.Provider>;
}

/** @throws Error outside a provider */
export function useProvided(): Provided {
  const provided = useContext(SallyportContext);
  if (!provided) throw new Error("Sallyport's hooks and components need a <SallyportProvider> above them.");
  return provided;
}
