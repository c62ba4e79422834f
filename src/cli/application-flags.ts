import { features } from "../app.ts";
import type { ApplicationSettings } from "../identity/applications/administration.ts";
import { type CommandContext, type CommandFlag, durationFlag, listFlag, textFlag } from "./command.ts";

/** The flags with which `app create` and `app set` configure an application. */
export const applicationFlags: Readonly<Record<string, CommandFlag>> = {
  name: { type: "string", value: "NAME", doc: "The name that people see." },
  type: { type: "string", value: "TYPE", doc: "spa, web, native or m2m (default web)." },
  algorithm: {
    type: "string",
    value: "ALG",
    doc: "Signature algorithm of its tokens: EdDSA (default), RS256 or ES256. RS256, which every library verifies, takes five times the work of a refresh by EdDSA.",
  },
  origin: {
    type: "string",
    multiple: true,
    value: "ORIGIN",
    doc: "Origin of pages that may call, such as https://app.example.com, https://*.example.com or tauri://localhost. Repeat the flag, or use commas; '' for none.",
  },
  audience: {
    type: "string",
    multiple: true,
    value: "AUD",
    doc: "Audience of its tokens; the first is the default. Repeat the flag, or use commas; '' for none.",
  },
  "sign-up": {
    type: "string",
    value: "MODE",
    doc: "immediate (default), verified (after proof of the address) or closed (no sign-up).",
  },
  "sign-in-method": {
    type: "string",
    multiple: true,
    value: "METHOD",
    doc: `${Object.keys(features.hooks.credentials).join(", ")} (default password and passkey). Repeat the flag, or use commas.`,
  },
  mfa: {
    type: "string",
    value: "POLICY",
    doc: "off, optional (default: only users with a second factor need it) or required.",
  },
  "mfa-grace": {
    type: "string",
    value: "TIME",
    doc: "Time for users without a second factor to add one (default 0s).",
  },
  "mfa-remember": { type: "string", value: "TIME", doc: "How long a device may be remembered (default 0s: never)." },
  "passkey-rp-id": {
    type: "string",
    value: "DOMAIN",
    doc: "Domain of its passkeys (default: the host of the public URL; '' resets it).",
  },
  "home-url": { type: "string", value: "URL", doc: "Where the pages behind mail links send people next; '' for none." },
  "access-token-ttl": { type: "string", value: "TIME", doc: "Lifetime of an access token (default 15m; 10s to 1d)." },
  "refresh-idle-ttl": {
    type: "string",
    value: "TIME",
    doc: "A session ends after this long without use (default 30d).",
  },
  "refresh-absolute-ttl": {
    type: "string",
    value: "TIME",
    doc: "A session always ends after this long (default 180d).",
  },
  "refresh-cookie-path": {
    type: "string",
    value: "PATH",
    doc: "Path of the refresh cookie (default /v1/auth).",
  },
};

/** Returns the settings that were given. The administration validates their values. @throws UsageError */
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

/** Returns null for '', which clears the setting. */
function nullableFlag(context: CommandContext, name: string): string | null | undefined {
  return context.flags[name] === "" ? null : textFlag(context, name);
}
