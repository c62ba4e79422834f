import type { MailSent, Session, Tokens } from "./api.gen.ts";

/**
 * The wire of the procedures around a person's sign-in and their own affairs, as this package calls them.
 */
export interface Email {
  id: string;
  email: string;
  is_primary: boolean;
  verified_at: string | null;
  created_at: string;
}

export interface Passkey {
  id: string;
  name: string;
  created_at: string;
  last_used_at: string | null;
  backed_up: boolean;
  backup_eligible: boolean;
  transports: string[];
  rp_id: string;
}

export interface TrustedDevice {
  id: string;
  device: string | null;
  created_at: string;
  last_used_at: string | null;
  expires_at: string;
}

export interface Security {
  password: { set_at: string } | null;
  totp: { enabled_at: string; last_used_at: string | null } | null;
  recovery_codes_left: number;
  passkeys: number;
  trusted_devices: number;
  emails: number;
}

/** A session, with what it runs on in words: "Firefox on Windows". */
export type DeviceSession = Session & { device?: string | null };

/** What the mail holds: its link's token, or its code beside the flow that asked for it. */
export type MailProof = { token: string } | { flow_id: string; code: string };

export interface TotpSetup {
  /** Base32. */
  secret: string;
  otpauth_uri: string;
  qr_svg: string;
}

export interface MfaChallenge {
  methods: string[];
  passkey: { flow_id: string; public_key: unknown } | null;
}

export interface PasskeyOptions {
  flow_id: string;
  /** `PublicKeyCredential…OptionsJSON`. */
  public_key: unknown;
  /** Seconds. */
  expires_in: number;
}

export type EnabledTotp = Tokens & { recovery_codes: string[] };

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}
interface PageInput {
  limit?: number | undefined;
  cursor?: string | null | undefined;
}
interface ById {
  id: string;
}
interface Done {
  status: "success";
}

interface Query<Input, Output> {
  kind: "query";
  input: Input;
  output: Output;
}
interface Mutation<Input, Output> {
  kind: "mutation";
  input: Input;
  output: Output;
}

export interface PeopleApi {
  auth: {
    email: {
      start: Mutation<{ email: string; method: "magic_link" | "email_code" }, MailSent>;
      verify: Mutation<MailProof, Done & { email: string }>;
    };
    mfa: {
      setup: Mutation<{ mfa_token?: string } | undefined, TotpSetup>;
      challenge: Mutation<{ mfa_token?: string } | undefined, MfaChallenge>;
      recoveryCodes: Mutation<undefined, { recovery_codes: string[] }>;
      disable: Mutation<undefined, Done>;
    };
    passkey: { begin: Mutation<Record<string, never>, PasskeyOptions> };
    password: {
      change: Mutation<{ current_password: string; new_password: string }, Done>;
      forgot: Mutation<{ email: string }, MailSent>;
      reset: Mutation<MailProof & { new_password: string }, Done>;
    };
    sessions: {
      list: Query<PageInput | undefined, Page<DeviceSession>>;
      revoke: Mutation<ById, Done>;
      revokeOthers: Mutation<undefined, Done & { ended: number }>;
    };
  };
  me: {
    update: Mutation<{ display_name?: string | null }, unknown>;
    security: Query<undefined, Security>;
    export: Query<undefined, unknown>;
    password: { set: Mutation<{ new_password: string }, Done> };
    emails: {
      list: Query<PageInput | undefined, Page<Email>>;
      add: Mutation<{ email: string }, MailSent>;
      verify: Mutation<ById, MailSent>;
      makePrimary: Mutation<ById, Email>;
      remove: Mutation<ById, Done>;
    };
    passkeys: {
      list: Query<PageInput | undefined, Page<Passkey>>;
      begin: Mutation<Record<string, never>, PasskeyOptions>;
      complete: Mutation<{ flow_id: string; response: unknown; name?: string }, Passkey>;
      rename: Mutation<ById & { name: string }, Passkey>;
      remove: Mutation<ById, Done>;
    };
    trustedDevices: {
      list: Query<PageInput | undefined, Page<TrustedDevice>>;
      remove: Mutation<ById, Done>;
    };
  };
}
