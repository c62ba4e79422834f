import { type ReactElement, useEffect, useState } from "react";
import type { SallyportSession } from "../client/session/create-session.ts";
import type { StepUpNeed } from "../client/step-up.ts";
import { StepUp } from "./step-up-dialog.tsx";

interface Asked {
  need: StepUpNeed;
  settle: (isProven: boolean) => void;
}

/** Handles the session's calls that need a step-up: shows the dialog, and returns its result. */
export function StepUpHost({ session }: { session: SallyportSession }): ReactElement | null {
  const [asked, setAsked] = useState<Asked | null>(null);

  useEffect(() => {
    let settleLast = (_isProven: boolean) => {};
    const release = session.onStepUp(
      (need) =>
        new Promise((resolve) => {
          const settle = (isProven: boolean) => {
            setAsked(null);
            resolve(isProven);
          };
          settleLast = settle;
          setAsked({ need, settle });
        }),
    );
    return () => {
      release();
      settleLast(false);
    };
  }, [session]);

  return asked && <StepUp need={asked.need} onDone={() => asked.settle(true)} onCancel={() => asked.settle(false)} />;
}
