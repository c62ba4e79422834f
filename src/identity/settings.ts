import { defineSettings, setting } from "../core/config.ts";
import { parseLimit } from "../core/limits.ts";
import * as z from "../core/zod.ts";

const limit = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, ctx) => {
      const parsed = parseLimit(text);
      if (parsed) return parsed;
      ctx.addIssue({
        code: "custom",
        message: "must be a limit such as 10/10m (ten at once, refilled over ten minutes)",
      });
      return z.NEVER;
    });

export const identitySettings = defineSettings({
  audit_retention_days: {
    schema: setting.integer(1, 36_500).default(365),
    doc: "Days for which audit entries are kept.",
  },
  limit_account: {
    schema: limit("10/10m"),
    shownDefault: "10/10m",
    doc: "Guesses at one account from one network, by devices that have never signed in to it.",
  },
  limit_account_total: {
    schema: limit("100/1d"),
    shownDefault: "100/1d",
    doc: "Guesses at one account from everywhere, by devices that have never signed in to it.",
  },
  limit_spare: {
    schema: limit("3/1d"),
    shownDefault: "3/1d",
    doc: "Further guesses at one account from one network, once limit_account_total is used up.",
  },
  limit_spare_total: {
    schema: limit("300/1d"),
    shownDefault: "300/1d",
    doc: "Further guesses at one account from everywhere, once limit_account_total is used up.",
  },
  limit_device: {
    schema: limit("10/10m"),
    shownDefault: "10/10m",
    doc: "Guesses at one account from a device that has signed in to it before.",
  },
  limit_network: {
    schema: limit("300/10m"),
    shownDefault: "300/10m",
    doc: "Guesses from one network at any account, by devices that have never signed in to it.",
  },
  limit_second_factor: {
    schema: limit("50/1d"),
    shownDefault: "50/1d",
    doc: "Wrong codes of an authenticator app in a row, for one account from everywhere, or from one known device.",
  },
  limit_mail_account: {
    schema: limit("5/1h"),
    shownDefault: "5/1h",
    doc: "Mails with a link or a code to one address, for one purpose. Further requests use the last mail.",
  },
  limit_mail_network: {
    schema: limit("60/1h"),
    shownDefault: "60/1h",
    doc: "Mails with a link or a code requested from one network.",
  },
  fresh_sign_in_ttl: {
    schema: setting.integer(60, 86_400).default(600),
    doc: "Seconds for which a sign-in counts as fresh. A change of credentials needs a fresh sign-in.",
  },
  limit_client: {
    schema: limit("600/1m"),
    doc: "Tokens for one M2M client from one network.",
  },
  limit_client_failures: {
    schema: limit("60/1m"),
    doc: "Wrong client credentials from one network, for any client.",
  },
  limit_public_key: {
    schema: limit("6000/1h"),
    doc: "Tokens of the public issuer for one public key.",
  },
  limit_public_network: {
    schema: limit("60/1m"),
    doc: "Requests to the public issuer from one network, for any key.",
  },
  limit_anonymous: {
    schema: limit("100/1h"),
    shownDefault: "100/1h",
    doc: "Anonymous users created from one network.",
  },
  limit_session_writes: {
    schema: limit("300/5m"),
    shownDefault: "300/5m",
    doc: "Changes and refreshes by one session, counted in each process. An export counts as ten.",
  },
  limit_notices: {
    schema: limit("5/1h"),
    shownDefault: "5/1h",
    doc: "Security notices of one kind to one user.",
  },
  limit_sign_up: {
    schema: limit("100/1h"),
    shownDefault: "100/1h",
    doc: "Sign-ups from one network.",
  },
});
