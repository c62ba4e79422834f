/**
 * A mail's words. The body is paragraphs with an empty line between them; `{{name}}` stands for a value. A paragraph that is
 * `[words]({{link}})` becomes a button, one that is `{{code}}` is set large. A line that names an empty value is left out.
 */
export interface Template {
  subject: string;
  body: string;
}

/** Each mail, and the values that its words may name besides `application` and `tenant`. */
export const TEMPLATE_VALUES = {
  sign_up: ["link", "code", "minutes"],
  sign_up_known: ["home"],
  verify_email: ["link", "code", "minutes"],
  email_known: [],
  sign_in_link: ["link", "code", "minutes"],
  sign_in_code: ["code", "minutes"],
  reset_password: ["link", "code", "minutes"],
  email_changed: ["old_email", "new_email", "link", "days"],
  email_added: ["email"],
  email_removed: ["email"],
  password_changed: ["device", "address", "time"],
  factor_added: ["factor", "device", "address", "time"],
  factor_removed: ["factor", "device", "address", "time"],
  recovery_code_used: ["left", "device", "address", "time"],
  second_factor_refused: ["device", "address", "time"],
  new_device: ["device", "address", "time"],
  account_deleted: ["time"],
  test: ["time"],
} as const satisfies Record<string, readonly string[]>;

export type TemplateName = keyof typeof TEMPLATE_VALUES;

/** What the value `factor` may be, each language having its words for it; any other value stands as it is. */
export const FACTORS = ["totp", "passkey", "recovery_codes"] as const;

/** One language is one file. */
export interface Language {
  /** Its own name: `Deutsch`. */
  name: string;
  templates: Readonly<Record<TemplateName, Template>>;
  factors: Readonly<Record<(typeof FACTORS)[number], string>>;
  /** `Firefox on Windows` in its words. */
  device(english: string): string;
}
