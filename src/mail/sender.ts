import { canonicalEmail } from "../core/email.ts";

/** The sender of a mail: `Acme <no-reply@acme.example>`. */
export interface Sender {
  /** The display name; empty if there is none. */
  name: string;
  address: string;
}

const WITH_NAME = /^(?:"((?:[^"\\]|\\.)*)"|([^<>"]*?))\s*<([^<>]*)>$/;
const MAX_NAME = 100;
/** Matches characters that begin another header (CWE-93), reverse letters or are invisible. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/**
 * Reads `no-reply@acme.example`, `Acme <no-reply@acme.example>` and `"Acme, Inc." <no-reply@acme.example>`: a single mailbox
 * (RFC 5322 section 3.4), never a list. `@localhost` is valid for a developer's own machine.
 * @returns null for any other text
 */
export function parseSender(text: string): Sender | null {
  if (INVISIBLE.test(text)) return null;
  const match = WITH_NAME.exec(text.trim());
  const name = (match ? (match[1]?.replaceAll(/\\(.)/g, "$1") ?? match[2] ?? "") : "").trim();
  const address = addressOf((match?.[3] ?? text).trim());
  if (address === null || name.length > MAX_NAME) return null;
  return { name, address };
}

function addressOf(text: string): string | null {
  const local = /^([A-Za-z0-9._+-]{1,64})@localhost$/.exec(text)?.[0];
  return local ?? canonicalEmail(text)?.address ?? null;
}

/** Returns the domain of a sender, whose SPF, DKIM and DMARC records count. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}
