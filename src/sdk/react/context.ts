import { createContext, useContext } from "react";
import type { SallyportSession } from "../client/session/create-session.ts";
import type { Texts } from "./texts/texts.ts";

export interface Provided {
  session: SallyportSession | null;
  texts: Texts;
  /** Whether the provider itself shows the notice that the appliance cannot be asked. */
  hasNotice: boolean;
  /**
   * Shows new recovery codes until the user has kept them. They are above everything else, because a sign-in form that asked for
   * them is gone when they arrive.
   */
  showRecoveryCodes: (codes: readonly string[]) => void;
}

export const SallyportContext = createContext<Provided | null>(null);

/** @throws Error outside a provider */
export function useProvided(): Provided {
  const provided = useContext(SallyportContext);
  if (!provided) throw new Error("Put a <SallyportProvider> around Sallyport's hooks and components.");
  return provided;
}
