import { REVOCABLE_KINDS } from "../../core/feature.ts";

/**
 * The words of a mail. The body is paragraphs with an empty line between them; `{{name}}` stands for a value. The paragraph
 * `[words]({{link}})` becomes a button, and the paragraph `{{code}}` becomes large. A line with an empty value is omitted.
 */
export interface Template {
  subject: string;
  body: string;
}

/** All mails, with the values that their words may name besides `application` and `tenant`. */
export const TEMPLATE_VALUES = {
  sign_up: ["link", "code", "minutes", "device", "address", "time"],
  sign_up_known: ["home"],
  verify_email: ["account", "link", "code", "minutes", "device", "address", "time"],
  email_known: [],
  sign_in_link: ["link", "code", "minutes", "device", "address", "time"],
  sign_in_code: ["code", "minutes", "device", "address", "time"],
  reset_password: ["link", "code", "minutes", "device", "address", "time"],
  email_changed: ["old_email", "new_email", "link", "days"],
  email_added: ["email"],
  email_removed: ["email"],
  password_changed: ["device", "address", "time"],
  factor_added: ["factor", "device", "address", "time"],
  factor_removed: ["factor", "device", "address", "time"],
  access_removed: ["removed", "device", "address", "time"],
  recovery_code_used: ["left", "device", "address", "time"],
  second_factor_refused: ["device", "address", "time"],
  guessed: ["device", "address", "time"],
  trusted_device_added: ["device", "address", "time"],
  new_device: ["device", "address", "time"],
  account_deleted: ["time", "link", "days"],
  test: ["time"],
} as const satisfies Record<string, readonly string[]>;

export type TemplateName = keyof typeof TEMPLATE_VALUES;

/** The possible values of `factor` and `removed`. Each language has words for them; any other value stands as it is. */
export const FACTORS = REVOCABLE_KINDS;

/** A language of mails. Each has its own file. */
export interface Language {
  /** Its own name: `Deutsch`. */
  name: string;
  templates: Readonly<Record<TemplateName, Template>>;
  factors: Readonly<Record<(typeof FACTORS)[number], string>>;
  /** Translates a device such as `Firefox on Windows`. */
  device(english: string): string;
}
