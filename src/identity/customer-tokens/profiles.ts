import { JwsError } from "../../jose/error.ts";
import { parseJws } from "../../jose/jws.ts";

/**
 * `cty` tells tokens under an API key from all others before any key is looked up. Such a token allows only HS algorithms and the
 * others only asymmetric ones, so no key is ever tried with a foreign algorithm (RFC 8725 section 3.1).
 */
export type SignedProfile = "signing" | "public";

/** Existing backends that sign such tokens already write `parra-fpa;v=1`. */
const CONTENT_TYPES: ReadonlyMap<unknown, SignedProfile> = new Map([
  ["sallyport-fpa;v=1", "signing"],
  ["parra-fpa;v=1", "signing"],
  ["sallyport-public;v=1", "public"],
]);
export const PUBLIC_CONTENT_TYPE = "sallyport-public;v=1";

/** There are few headers and many tokens, so results are cached by the header's text. */
const REMEMBERED = 1_000;
const MAX_HEADER = 512;

export class Profiles {
  readonly #known = new Map<string, SignedProfile | null>();

  /** Returns the profile that a token's `cty` names, or null for any other text. Verifies nothing. */
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

/** Reads the header alone. The rest of the token must not influence the cached result. */
function read(header: string): SignedProfile | null {
  try {
    return CONTENT_TYPES.get(parseJws(`${header}.e30.AA`).header.cty) ?? null;
  } catch (error) {
    if (error instanceof JwsError) return null;
    throw error;
  }
}
