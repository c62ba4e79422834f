import { JwsError } from "../../jose/error.ts";
import { parseJws } from "../../jose/jws.ts";

/**
 * Tokens under a key that is not ours alone are told apart by `cty`, before any key is looked up: such a token is HS only
 * and all others are asymmetric only, so that no key is ever tried under a foreign algorithm (RFC 8725 section 3.1).
 */
export type SignedProfile = "signing" | "public";

/** `parra-fpa;v=1` is what backends that sign such tokens already write. */
const CONTENT_TYPES: ReadonlyMap<unknown, SignedProfile> = new Map([
  ["sallyport-fpa;v=1", "signing"],
  ["parra-fpa;v=1", "signing"],
  ["sallyport-public;v=1", "public"],
]);
export const PUBLIC_CONTENT_TYPE = "sallyport-public;v=1";

/** Headers are few, tokens are many: what a header says is remembered by its text. */
const REMEMBERED = 1_000;
const MAX_HEADER = 512;

export class Profiles {
  readonly #known = new Map<string, SignedProfile | null>();

  /** Which profile a token's `cty` names; null for all others, and for what is no token. Nothing is verified. */
  of(token: string): SignedProfile | null {
    const header = token.slice(0, Math.max(0, token.indexOf(".")));
    const seen = this.#known.get(header);
    if (seen !== undefined) return seen;
    const profile = read(header);
    if (header.length <= MAX_HEADER) {
      if (this.#known.size >= REMEMBERED) this.#known.clear();
      this.#known.set(header, profile);
    }
    return profile;
  }
}

/** The rest of the token says nothing about the header, and must not decide what is remembered of it. */
function read(header: string): SignedProfile | null {
  try {
    return CONTENT_TYPES.get(parseJws(`${header}.e30.AA`).header.cty) ?? null;
  } catch (error) {
    if (error instanceof JwsError) return null;
    throw error;
  }
}
