import type { ReactNode } from "react";
import { useSession } from "./hooks.ts";

/** Shows its children while somebody is signed in. For show only: what they may see is your server's to decide. */
export function SignedIn({ children }: { children?: ReactNode }): ReactNode {
  return useSession().status === "signed-in" ? children : null;
}

/** Shows its children once it is known that nobody is signed in. */
export function SignedOut({ children }: { children?: ReactNode }): ReactNode {
  return useSession().status === "signed-out" ? children : null;
}
