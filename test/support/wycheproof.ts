import { readFileSync } from "node:fs";
import { join } from "node:path";

type Verdict = "valid" | "invalid";

interface Jwk {
  kty: string;
  alg?: string;
  kid?: string;
}

interface TokenGroup {
  key: Jwk | { keys: Jwk[] };
  kind: "jws" | "jwe";
  /** The vector's id, its token (an object if it is a JSON serialisation) and its verdict. */
  vectors: [id: number, token: unknown, verdict: Verdict][];
}

interface Ed25519Group {
  key: Jwk;
  /** Message and signature are hexadecimal. */
  vectors: [id: number, message: string, signature: string, verdict: Verdict][];
}

type TokenFile = "json-web-signature" | "json-web-key" | "json-web-crypto" | "json-web-encryption";

/** Returns the groups of a Wycheproof file that hold this kind of token. */
export function tokenGroups(file: TokenFile, kind: TokenGroup["kind"]): TokenGroup[] {
  return read<TokenGroup>(file).filter((group) => group.kind === kind);
}

export function ed25519Groups(): Ed25519Group[] {
  return read<Ed25519Group>("ed25519");
}

export function keysOf({ key }: TokenGroup): Jwk[] {
  return "keys" in key ? key.keys : [key];
}

function read<T>(file: string): T[] {
  return JSON.parse(readFileSync(join(import.meta.dir, "../vectors/wycheproof", `${file}.json`), "utf8"));
}
