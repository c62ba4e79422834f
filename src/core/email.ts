import { domainToASCII, domainToUnicode } from "node:url";

export interface EmailAddress {
  /** The address that receives mail: as the person wrote it, with the domain in ASCII. */
  address: string;
  /** The stored form, compared and unique: local part in lower case, `@`, domain in lower-case ASCII. */
  canonical: string;
}

/** RFC 5321 section 4.5.3.1: octets of a local part, and of a path without its angle brackets. */
const MAX_LOCAL = 64;
const MAX_ADDRESS = 254;

/** RFC 5322 section 3.2.3 dot-atom, ASCII only. */
const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** ASCII that a host-name parser would interpret (`%41`, `/`, `[`). It is refused before that parser sees it. */
const FOREIGN_ASCII = /[^A-Za-z0-9.\-\u0080-\u{10ffff}]/u;
/** Control, format, unassigned and ignorable characters. A reader cannot see them, and UTS-46 silently drops some. */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}]/u;

/**
 * Canonicalises an e-mail address, and is the only code that does so. It takes exactly one address and normalises it (NFKC)
 * before it validates it, so that a full-width `＠` or a ligature cannot add a character that the checks have not seen. It
 * drops spaces (U+0020) around the address, and no other character.
 *
 * Local part: an ASCII dot-atom. No quoted strings, comments or display names. No non-ASCII (RFC 6531), because a Cyrillic
 * `а` or a dotless `ı` would make a second account that looks like the first. Dots and `+tags` stay, because only the
 * provider gives them a meaning. Domain: UTS-46 to ASCII, at least two labels, no address literal.
 *
 * @returns null for any other input, including arrays and objects.
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

/** Says in one sentence what is wrong with an input that {@link canonicalEmail} refuses. Every caller shows this sentence. */
export function emailProblem(input: unknown): string {
  const [local = "", ...rest] = typeof input === "string" ? input.normalize("NFKC").split("@") : [];
  const isForeign = /[^\0-\x7f]/.test(local) && canonicalEmail(["ada", ...rest].join("@")) !== null;
  return isForeign
    ? "must have only the letters a to z, digits and ASCII signs before the @, because many mail servers refuse others"
    : "must be one e-mail address such as ada@example.com";
}

function canonicalDomain(text: string): string | null {
  if (FOREIGN_ASCII.test(text)) return null;
  const domain = domainToASCII(text);
  const labels = domain.split(".");
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return null;
  // The URL host parser turns 0x7f.1 into 127.0.0.1, and no top-level domain is all digits (RFC 3696 section 2).
  if (/^\d+$/.test(labels.at(-1) ?? "")) return null;
  // Hyphens in places three and four are reserved for encodings (RFC 5891 section 4.2.3.1). Punycode must be canonical.
  if (labels.some((label) => label.slice(2, 4) === "--" && !label.startsWith("xn--"))) return null;
  if (domain.includes("xn--") && domainToASCII(domainToUnicode(domain)) !== domain) return null;
  return domain;
}
