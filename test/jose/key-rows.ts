import { randomBytes } from "node:crypto";
import { keysOf, tokenGroups } from "../support/wycheproof.ts";
import { encode, type Jwk, newEd25519, newP256, newRsa, type Pair, type Row, setOf, signed } from "./rows.ts";

const ed = newEd25519("ed");
const ec = newP256("ec");
const rsa = newRsa("rsa");
const stranger = newEd25519("ed");

const tokenOf = (key: Pair) => signed(key, { alg: key.alg, kid: key.kid });
const reasonOf = (stricter: string | undefined) => (stricter === undefined ? {} : { stricter });

/** A set of one key, whose own token it is to verify. */
const row = (verdict: Row["verdict"], name: string, key: Pair, change: Jwk, stricter?: string): Row => ({
  name,
  token: tokenOf(key),
  set: setOf({ ...key.jwk, ...change }),
  verdict,
  ...reasonOf(stricter),
});
const valid = (name: string, key: Pair, change: Jwk = {}) => row("valid", name, key, change);
const invalid = (name: string, key: Pair, change: Jwk = {}, stricter?: string) =>
  row("invalid", name, key, change, stricter);

const PRIVATE = "a private key that is published signs for everybody";
const EXPONENT = "FIPS 186-5 section 5.1: small exponents have broken badly padded signatures";

const members: Row[] = [
  valid("no use", ed, { use: undefined }),
  valid("key_ops to verify", ed, { key_ops: ["verify"] }),
  valid("x5c, x5t and other members", ed, { x5c: ["AAAA"], x5t: "AAAA", more: 1 }),
  invalid("no alg", ed, { alg: undefined }, "the key alone says what it is for"),
  invalid("another alg", ed, { alg: "ES256" }),
  invalid("the use enc", ed, { use: "enc" }),
  invalid("key_ops to sign", ed, { key_ops: ["sign"] }),
  invalid("key_ops that are not a list", ed, { key_ops: "verify" }),
  invalid("a private member", ed, { d: ed.privateKey.export({ format: "jwk" }).d }),
  invalid("a foreign private member", ed, { k: "AAAA" }, PRIVATE),
  invalid("another curve", ed, { crv: "X25519" }),
  invalid("another kty", ed, { kty: "EC" }),
  invalid("a short point", ed, { x: "AAAA" }),
  invalid("a padded point", ed, { x: `${ed.jwk.x}=` }, "a key has one spelling"),
  invalid("no point", ed, { x: undefined }),
  invalid("a point off the curve", ec, { y: encode(randomBytes(32)) }),
  invalid("half a point", ec, { y: undefined }),
  invalid("P-384", ec, { crv: "P-384" }),
  invalid("a secret", ed, { kty: "oct", k: encode(randomBytes(32)) }),
];

const exponents: Row[] = [
  valid("65537", rsa),
  invalid("1", rsa, { e: "AQ" }),
  invalid("3", newRsa("three", 2_048, 3), {}, EXPONENT),
  invalid("17", newRsa("seventeen", 2_048, 17), {}, EXPONENT),
  invalid("an even one", rsa, { e: "AQAA" }),
  invalid("another of 17 bits", rsa, { e: "AQAD" }),
  invalid("a leading zero", rsa, { e: "AAEAAQ" }, "a key has one spelling"),
  invalid("a huge one", rsa, { e: encode(randomBytes(32)) }),
  invalid("none", rsa, { e: undefined }),
];

const sets: Row[] = [
  ...["{}", "[]", "null", '{"keys":{}}', '{"keys":[null]}', "keys"].map(
    (set): Row => ({ name: set, token: tokenOf(ed), set, verdict: "invalid" }),
  ),
  {
    name: "keys that nobody can use beside a good one",
    token: tokenOf(ed),
    set: setOf({ kty: "new", kid: "a" }, { ...ec.jwk, kid: "b", use: "enc" }, { ...rsa.jwk, e: "AQ" }, {}, {}, ed.jwk),
    verdict: "valid",
  },
  {
    name: "a kid twice",
    token: tokenOf(ed),
    set: setOf(ed.jwk, { ...ec.jwk, kid: "ed" }),
    verdict: "invalid",
    stricter: "which key is meant must not depend on the order",
  },
  {
    name: "secrets beside public keys",
    token: tokenOf(ed),
    set: setOf(ed.jwk, { kty: "oct", k: encode(randomBytes(64)), kid: "b", alg: "HS256" }),
    verdict: "invalid",
    stricter: "a secret that is published signs for everybody",
  },
  ...[`"x":"${stranger.jwk.x}"`, '"kid":"other"', '"\\u006bid":"other"'].map(
    (member): Row => ({
      name: `a member twice: ${member.slice(0, 12)}`,
      token: tokenOf(ed),
      set: `{"keys":[{${member},${JSON.stringify(ed.jwk).slice(1)}]}`,
      verdict: "invalid",
      stricter: "another parser may take the first",
    }),
  ),
];

export const keyRows: Record<string, readonly Row[]> = {
  members,
  "RSA exponents": exponents,
  "RSA of 1024 and 2040 bits": [1_024, 2_040].map((bits) => invalid(`${bits} bits`, newRsa("small", bits))),
  sets,
};

/** A modulus of so many bits, whose private half nobody knows: whether the key imports is all that can be asked. */
const modulus = (bits: number) => {
  const bytes = randomBytes(Math.ceil(bits / 8));
  bytes[0] = 1 << ((bits - 1) % 8);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 1;
  return bytes;
};
const roca = tokenGroups("json-web-key", "jws").find(({ vectors }) => vectors[0]?.[0] === 7);

export const moduli: readonly { name: string; n: string; isSound: boolean }[] = [
  ...[2_048, 3_072, 4_095, 4_096].map((bits) => ({ name: `${bits} bits`, n: encode(modulus(bits)), isSound: true })),
  ...[512, 2_047, 4_097, 4_104, 8_192, 16_384].map((bits) => ({
    name: `${bits} bits`,
    n: encode(modulus(bits)),
    isSound: false,
  })),
  { name: "a leading zero", n: encode(Buffer.concat([Buffer.alloc(1), modulus(2_048)])), isSound: false },
  { name: "stray bits", n: `${encode(modulus(2_048)).slice(0, -1)}B`, isSound: false },
  {
    name: "the ROCA flaw (CVE-2017-15361)",
    n: String((roca && (keysOf(roca)[0] as Jwk | undefined))?.n),
    isSound: false,
  },
];
