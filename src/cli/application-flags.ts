import { features } from "../app.ts";
import type { ApplicationSettings } from "../identity/applications/administration.ts";
import { type CommandContext, type CommandFlag, durationFlag, listFlag, textFlag } from "./command.ts";

/** What `app create` and `app set` may say about an application. */
export const applicationFlags: Readonly<Record<string, CommandFlag>> = {
  name: { type: "string", value: "NAME", doc: "What people call it." },
  type: { type: "string", value: "TYPE", doc: "spa, web, native or m2m (default web)." },
  algorithm: { type: "string", value: "ALG", doc: "What signs its tokens: EdDSA (default), RS256 or ES256." },
  origin: {
    type: "string",
    multiple: true,
    value: "ORIGIN",
    doc: "A page's origin that may call, such as https://app.example.com. Repeat it, or use commas; '' for none.",
  },
  audience: {
    type: "string",
    multiple: true,
    value: "AUD",
    doc: "An audience of its tokens, the first one being the default. Repeat it, or use commas; '' for none.",
  },
  "sign-up": {
    type: "string",
    value: "MODE",
    doc: "immediate (default), verified: the address is proven first, or closed: nobody signs up.",
  },
  "sign-in-method": {
    type: "string",
    multiple: true,
    value: "METHOD",
    doc: `${Object.keys(features.hooks.credentials).join(", ")} (default password and passkey). Repeat it, or use commas.`,
  },
  mfa: { type: "string", value: "POLICY", doc: "off, optional (default: asked of who has one) or required." },
  "mfa-grace": { type: "string", value: "TIME", doc: "Without a second factor, people have this long (default 0s)." },
  "mfa-remember": { type: "string", value: "TIME", doc: "A device may be remembered this long (default 0s: never)." },
  "passkey-rp-id": {
    type: "string",
    value: "DOMAIN",
    doc: "The domain that passkeys are for (default: the public URL's host; '' for that again).",
  },
  "home-url": { type: "string", value: "URL", doc: "Where the pages that mails link to send people on; '' for none." },
  "access-token-ttl": { type: "string", value: "TIME", doc: "Life of an access token (default 15m; 10s to 1d)." },
  "refresh-idle-ttl": { type: "string", value: "TIME", doc: "A session ends when unused this long (default 30d)." },
  "refresh-absolute-ttl": {
    type: "string",
    value: "TIME",
    doc: "A session ends after this long anyway (default 180d).",
  },
  "refresh-cookie-path": {
    type: "string",
    value: "PATH",
    doc: "Where browsers send the refresh cookie (default /v1/auth).",
  },
};

/** The settings that were given; what is wrong with them says the administration. @throws UsageError */
export function applicationChanges(context: CommandContext): Partial<ApplicationSettings> {
  const given: Record<keyof ApplicationSettings, unknown> = {
    name: textFlag(context, "name"),
    type: textFlag(context, "type"),
    algorithm: textFlag(context, "algorithm"),
    origins: listFlag(context, "origin"),
    audiences: listFlag(context, "audience"),
    sign_up: textFlag(context, "sign-up"),
    sign_in_methods: listFlag(context, "sign-in-method"),
    mfa: textFlag(context, "mfa"),
    mfa_grace: durationFlag(context, "mfa-grace"),
    mfa_remember: durationFlag(context, "mfa-remember"),
    passkey_rp_id: nullableFlag(context, "passkey-rp-id"),
    home_url: nullableFlag(context, "home-url"),
    access_token_ttl: durationFlag(context, "access-token-ttl"),
    refresh_idle_ttl: durationFlag(context, "refresh-idle-ttl"),
    refresh_absolute_ttl: durationFlag(context, "refresh-absolute-ttl"),
    refresh_cookie_path: textFlag(context, "refresh-cookie-path"),
  };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Partial<ApplicationSettings>;
}

/** '' takes a value away. */
function nullableFlag(context: CommandContext, name: string): string | null | undefined {
  return context.flags[name] === "" ? null : textFlag(context, name);
}
