import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A token under a key set, and the verdict that every implementation must come to. */
export interface Row {
  name: string;
  token: string;
  /** The text of a JWK Set. */
  set: string;
  verdict: "valid" | "invalid";
  /** Where the `jose` package accepts what we refuse: why we do. */
  stricter?: string;
}

export type Jwk = Record<string, unknown>;

const pair = (
  kid: string,
  alg: string,
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
) => ({
  kid,
  alg,
  privateKey,
  jwk: { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" } as Jwk,
});

export type Pair = ReturnType<typeof pair>;

export const newEd25519 = (kid: string) => pair(kid, "EdDSA", generateKeyPairSync("ed25519"));
export const newP256 = (kid: string) => pair(kid, "ES256", generateKeyPairSync("ec", { namedCurve: "P-256" }));
export const newRsa = (kid: string, modulusLength = 2_048, publicExponent = 65_537) =>
  pair(kid, "RS256", generateKeyPairSync("rsa", { modulusLength, publicExponent }));

export const encode = (part: string | Uint8Array) => Buffer.from(part).toString("base64url");

/** A good signature over any header and payload, which an honest library would not make. */
export function signed(key: Pair, header: string | Uint8Array | object, payload: string | Uint8Array = GOOD): string {
  const head = typeof header === "string" || header instanceof Uint8Array ? header : JSON.stringify(header);
  return signedText(key, `${encode(head)}.${encode(payload)}`);
}

/** A good signature over parts that are encoded already, well or badly. */
export function signedText(key: Pair, text: string): string {
  const options = { key: key.privateKey, dsaEncoding: "ieee-p1363" } as const;
  return `${text}.${encode(sign(key.alg === "EdDSA" ? null : "sha256", Buffer.from(text), options))}`;
}

export function macOf(secret: string | Uint8Array, header: object): string {
  const text = `${encode(JSON.stringify(header))}.${encode(GOOD)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

export const GOOD = '{"sub":"ada","exp":2000}';
export const setOf = (...keys: readonly unknown[]) => JSON.stringify({ keys });
