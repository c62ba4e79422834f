import type { ReactElement } from "react";
import { type LoggedRequest, type Proof, provenIn } from "./request-log.ts";
import { Tick } from "./tick.tsx";

const STEPS: readonly [proof: Proof, title: string, hint: string][] = [
  ["password", "Password", "Make an account with any address: no mail leaves this machine."],
  ["mail", "Mailed code", "Confirm your address. The mail appears beside the form."],
  ["passkey", "Passkey", "Add a passkey to your account. Then sign out, and sign in with it."],
  ["totp", "Second factor", "Turn on an authenticator app. This page can stand in for your phone."],
];

/** The things to try next, and the progress so far. */
export function Checklist({ requests }: { requests: readonly LoggedRequest[] }): ReactElement {
  const proven = provenIn(requests);
  const next = STEPS.find(([proof]) => !proven.has(proof))?.[0];
  return (
    <section className="checklist" aria-labelledby="try">
      <h1 id="try">{next === undefined ? "All four work" : "See four ways to sign in work"}</h1>
      <ol>
        {STEPS.map(([proof, title, hint]) => (
          <li
            key={proof}
            className={proven.has(proof) ? "done" : proof === next ? "next" : ""}
            aria-current={proof === next ? "step" : undefined}
          >
            <Tick />
            <span>
              <strong>
                {title}
                {proven.has(proof) && <span className="unseen"> works</span>}
              </strong>
              <span className="hint muted small">{hint}</span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
