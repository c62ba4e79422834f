import type { ReactNode } from "react";
import { useSession } from "./hooks.ts";

/** Shows its children while a user is signed in. For display only: your server decides what the user may see. */
export function SignedIn({ children }: { children?: ReactNode }): ReactNode {
  return useSession().status === "signed-in" ? children : null;
}

/** Shows its children once it is known that nobody is signed in. */
export function SignedOut({ children }: { children?: ReactNode }): ReactNode {
  return useSession().status === "signed-out" ? children : null;
}
