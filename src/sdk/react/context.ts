import { createContext, useContext } from "react";
import type { SallyportSession } from "../client/session/create-session.ts";
import type { Texts } from "./texts/texts.ts";

export interface Provided {
  session: SallyportSession | null;
  texts: Texts;
  /** Whether the provider itself says that the appliance cannot be asked. */
  hasNotice: boolean;
  /**
   * Shows new recovery codes until they are kept. Above everything else: where they come with a sign-in, what asked for them
   * is gone when they arrive.
   */
  showRecoveryCodes: (codes: readonly string[]) => void;
}

export const SallyportContext = createContext<Provided | null>(null);

/** @throws Error outside a provider */
export function useProvided(): Provided {
  const provided = useContext(SallyportContext);
  if (!provided) throw new Error("Sallyport's hooks and components need a <SallyportProvider> above them.");
  return provided;
}
