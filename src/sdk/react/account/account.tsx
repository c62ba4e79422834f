import { type ReactElement, type ReactNode, useId } from "react";
import type { Security } from "../../client/api.gen.ts";
import { useProvided } from "../context.ts";
import { usePageAuth, useUser } from "../hooks.ts";
import { Loaded, useLoaded } from "../loaded.tsx";
import { AddressesSection } from "./addresses.tsx";
import { DataSection } from "./data.tsx";
import { DevicesSection } from "./devices.tsx";
import { PasskeysSection } from "./passkeys.tsx";
import { PasswordSection } from "./password.tsx";
import { ProfileSection } from "./profile.tsx";
import { SessionsSection } from "./sessions.tsx";
import { TotpSection } from "./totp.tsx";

export type AccountSection =
  | "profile"
  | "addresses"
  | "password"
  | "second_factor"
  | "passkeys"
  | "sessions"
  | "devices"
  | "data";

export interface AccountProps {
  /** The sections to show, in this order. Default: all. */
  sections?: readonly AccountSection[] | undefined;
  onDeleted?: (() => void) | undefined;
}

const ALL: readonly AccountSection[] = [
  "profile",
  "addresses",
  "password",
  "second_factor",
  "passkeys",
  "sessions",
  "devices",
  "data",
];

/** A user's own account: name, ways to sign in, sessions, and its deletion. */
export function Account({ sections = ALL, onDeleted }: AccountProps): ReactElement | null {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const user = useUser();
  const heading = useId();
  if (!user) return null;
  const load = () => auth().client.me.security.query();
  return (
    <section className="sallyport sallyport-account" aria-labelledby={heading}>
      <h2 className="sallyport-title" id={heading}>
        {texts.yourAccount}
      </h2>
      {/* The key makes a new component for another user, with nothing left of the one before. */}
      <Sections key={user.id} sections={sections} load={load} onDeleted={onDeleted} />
    </section>
  );
}

interface SectionsProps {
  sections: readonly AccountSection[];
  onDeleted: (() => void) | undefined;
  load: () => Promise<Security>;
}

function Sections({ sections, load, onDeleted }: SectionsProps): ReactElement {
  const isAnonymous = useUser()?.is_anonymous === true;
  const state = useLoaded(load);
  const change = () => void state.reload();

  function section(name: AccountSection, security: Security): ReactNode {
    switch (name) {
      case "profile":
        return <ProfileSection key={name} />;
      case "addresses":
        return <AddressesSection key={name} />;
      case "password":
        // An anonymous user sets a password together with an address: `<SignUp upgrade>`.
        return !isAnonymous && <PasswordSection key={name} security={security} onChange={change} />;
      case "second_factor":
        return <TotpSection key={name} security={security} onChange={change} />;
      case "passkeys":
        return <PasskeysSection key={name} onChange={change} />;
      case "sessions":
        return <SessionsSection key={name} />;
      case "devices":
        // Most users have no trusted devices, and need not wonder about them.
        return security.trusted_devices > 0 && <DevicesSection key={name} />;
      case "data":
        return <DataSection key={name} onDeleted={onDeleted} />;
    }
  }

  return <Loaded of={state}>{(security) => sections.map((name) => section(name, security))}</Loaded>;
}
