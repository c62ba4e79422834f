import { type ReactElement, useState } from "react";
import { Account, type AccountSection, useAuth, useSession } from "../../src/sdk/react/index.ts";
import { CopyButton } from "./copy-button.tsx";
import { Tick } from "./tick.tsx";

const WAYS: Readonly<Record<string, string>> = {
  pwd: "a password",
  otp: "a code",
  hwk: "a passkey",
  swk: "a passkey",
  user: "a passkey",
};

function inWords(amr: readonly string[]): string {
  return new Intl.ListFormat("en").format(new Set(amr.flatMap((way) => WAYS[way] ?? [])));
}

/** The session: the user, the token's claims, and the next steps. */
export function SignedInView(): ReactElement | null {
  const { user, session } = useSession();
  const auth = useAuth();
  const [section, setSection] = useState<AccountSection | null>(null);
  if (!user || !session || !auth) return null;
  const name = user.display_name ?? user.email ?? "Somebody";
  const token = async () => (await auth.getAccessToken()) ?? "";

  if (section !== null) {
    return (
      <div className="affairs">
        <button type="button" className="quiet" onClick={() => setSection(null)}>
          <span aria-hidden="true">←</span> Back to the session
        </button>
        <Account sections={[section]} />
      </div>
    );
  }
  const claims: [name: string, value: string, note?: string][] = [
    ["sub", session.sub],
    ["sid", session.sid],
    ["aal", session.aal, session.aal === "aal2" ? "two factors" : "one factor"],
    ["amr", session.amr.join(" "), inWords(session.amr)],
    ["auth", new Date(session.auth_time * 1_000).toLocaleTimeString()],
  ];
  return (
    <div className="session">
      <div className="whole">
        <Tick />
        <div>
          <h3>{name} is signed in</h3>
          <p className="muted small">
            {user.email_verified ? "The address is verified." : "The address is not verified yet."}
          </p>
        </div>
      </div>
      <dl>
        {claims.map(([claim, value, note]) => (
          <div key={claim}>
            <dt>{claim}</dt>
            <dd>
              <bdi dir="ltr">{value}</bdi> {note && <span className="muted">{note}</span>}
            </dd>
          </div>
        ))}
      </dl>
      <div className="pair">
        <CopyButton label="Copy access token" text={token} />
        <CopyButton
          label="Copy as curl"
          text={async () => `curl ${location.origin}/v1/auth/session -H 'Authorization: Bearer ${await token()}'`}
        />
      </div>
      <p className="small muted">Go on with this account:</p>
      <div className="pair">
        {user.email_verified ? (
          <>
            <button type="button" className="act" onClick={() => setSection("passkeys")}>
              Add a passkey
            </button>
            <button type="button" className="act" onClick={() => setSection("second_factor")}>
              Second factor
            </button>
          </>
        ) : (
          <button type="button" className="primary" onClick={() => setSection("addresses")}>
            Confirm your address
          </button>
        )}
      </div>
      <button type="button" className="quiet" onClick={() => void auth.signOut().catch(() => {})}>
        Sign out
      </button>
    </div>
  );
}
