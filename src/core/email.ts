import { domainToASCII, domainToUnicode } from "node:url";

export interface EmailAddress {
  /** As the person wrote it (local part's case kept), domain in ASCII: where mail is sent to. */
  address: string;
  /** What is stored, compared and unique: local part in lower case, `@`, domain in lower-case ASCII. */
  canonical: string;
}

/** RFC 5321 section 4.5.3.1: octets of a local part, and of a path less its angle brackets. */
const MAX_LOCAL = 64;
const MAX_ADDRESS = 254;

/** RFC 5322 section 3.2.3 dot-atom, ASCII only. */
const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** ASCII that a host-name parser would interpret (`%41`, `/`, `[`), before it gets the chance. */
const FOREIGN_ASCII = /[^A-Za-z0-9.\-\u0080-\u{10ffff}]/u;
/** Control, format, unassigned and ignorable characters: an eye does not see them, UTS-46 drops some silently. */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}]/u;

/**
 * The one e-mail canonicaliser: exactly one address, normalised (NFKC) and then validated, so that a full-width `＠` or a
 * ligature cannot bring in a character that the checks have not seen. Spaces (U+0020) around it are dropped, no other.
 *
 * Local part: an ASCII dot-atom. No quoted strings, comments or display names; no non-ASCII (RFC 6531): a Cyrillic `а`
 * or a dotless `ı` would make a second account that reads like the first one's. Dots and `+tags` are kept: what they mean is
 * the provider's business. Domain: UTS-46 to ASCII, two labels or more, no address literal.
 *
 * @returns null for anything else, arrays and objects included.
 */
export function canonicalEmail(input: unknown): EmailAddress | null {
  if (typeof input !== "string" || input.length > 4 * MAX_ADDRESS || INVISIBLE.test(input)) return null;
  const text = input.replace(/^ +| +$/g, "").normalize("NFKC");
  if (INVISIBLE.test(text)) return null;
  const at = text.indexOf("@");
  if (at < 1 || at !== text.lastIndexOf("@")) return null;

  const local = text.slice(0, at);
  if (local.length > MAX_LOCAL || !DOT_ATOM.test(local)) return null;
  const domain = canonicalDomain(text.slice(at + 1));
  if (domain === null || local.length + 1 + domain.length > MAX_ADDRESS) return null;
  return { address: `${local}@${domain}`, canonical: `${local.toLowerCase()}@${domain}` };
}

function canonicalDomain(text: string): string | null {
  if (FOREIGN_ASCII.test(text)) return null;
  const domain = domainToASCII(text);
  const labels = domain.split(".");
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return null;
  // The URL host parser turns 0x7f.1 into 127.0.0.1; no top-level domain is all digits (RFC 3696 section 2).
  if (/^\d+$/.test(labels.at(-1) ?? "")) return null;
  // Hyphens in places three and four are kept for encodings (RFC 5891 section 4.2.3.1); punycode must be the canonical one.
  if (labels.some((label) => label.slice(2, 4) === "--" && !label.startsWith("xn--"))) return null;
  if (domain.includes("xn--") && domainToASCII(domainToUnicode(domain)) !== domain) return null;
  return domain;
}
