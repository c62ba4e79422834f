import { encode, GOOD, macOf, newEd25519, newP256, newRsa, type Row, setOf, signed, signedText } from "./rows.ts";

const ed = newEd25519("ed");
const ec = newP256("ec");
const rsa = newRsa("rsa");
const stranger = newEd25519("stranger");
const set = setOf(ed.jwk, ec.jwk, rsa.jwk);

const HEADER = { alg: "EdDSA", kid: "ed" };
const good = signed(ed, HEADER);
const [head = "", body = "", signature = ""] = good.split(".");
const NOT_UTF8 = Buffer.from([0x22, 0xc0, 0x80, 0x22]);
const withBytes = (before: string, bytes: Uint8Array, after: string) =>
  Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);

const REPEATED = "another parser may take the first";
const LENIENT = "a second spelling of one token dodges a comparison by digest";
const TYPED = "RFC 7519 section 4.1 gives the claim a type";
const MARK = "a second spelling of one text";
const LONG = "a stranger decides how long we parse";

const row = (verdict: Row["verdict"], name: string, token: string, stricter?: string): Row => ({
  name,
  token,
  set,
  verdict,
  ...(stricter === undefined ? {} : { stricter }),
});
const valid = (name: string, token: string) => row("valid", name, token);
const invalid = (name: string, token: string, stricter?: string) => row("invalid", name, token, stricter);

/** Whose signature, under whose name. */
const signatures: Row[] = [
  valid("EdDSA", good),
  valid("ES256", signed(ec, { alg: "ES256", kid: "ec" })),
  valid("RS256", signed(rsa, { alg: "RS256", kid: "rsa" })),
  invalid("another key's signature", signed({ ...stranger, kid: "ed" }, HEADER)),
  invalid("an unknown kid", signed(stranger, { alg: "EdDSA", kid: "stranger" })),
  invalid("no kid", signed(ed, { alg: "EdDSA" }), "which key is meant must not be guessed"),
  invalid("a kid that is a number", signed(ed, { alg: "EdDSA", kid: 1 })),
  invalid("the kid __proto__", signed(ed, '{"alg":"EdDSA","kid":"__proto__"}')),
  invalid("a shortened signature", good.slice(0, -4)),
  invalid("a lengthened signature", `${good}AAAA`),
  invalid("a signature of zeros", `${head}.${body}.${"A".repeat(86)}`),
  invalid("RSA with a leading zero", `${signed(rsa, { alg: "RS256", kid: "rsa" })}AA`),
  invalid("another token's payload", `${head}.${encode('{"sub":"root"}')}.${signature}`),
  invalid("alg none, unsigned", `${encode('{"alg":"none","kid":"ed"}')}.${body}.`),
  invalid("alg none, signed", signed(ed, { alg: "none", kid: "ed" })),
  invalid("an alg in small letters", signed(ed, { alg: "eddsa", kid: "ed" })),
  invalid("the alg of another key", signed(ed, { alg: "ES256", kid: "ed" })),
  invalid("the kid of another algorithm's key", signed(ed, { alg: "EdDSA", kid: "rsa" })),
  invalid("PS256 under a key for RS256", signed(rsa, { alg: "PS256", kid: "rsa" })),
  invalid(
    "HS256 keyed with the public key",
    macOf(Buffer.from(String(ed.jwk.x), "base64url"), { alg: "HS256", kid: "ed" }),
  ),
  invalid("HS256 keyed with the JWK's text", macOf(JSON.stringify(rsa.jwk), { alg: "HS256", kid: "rsa" })),
  invalid("no alg", signed(ed, { kid: "ed" })),
  invalid("an alg that is a list", signed(ed, { alg: ["EdDSA"], kid: "ed" })),
  invalid("an alg from the prototype", signed(ed, '{"__proto__":{"alg":"EdDSA"},"kid":"ed"}')),
];

const headers: Row[] = [
  valid("typ JWT", signed(ed, { ...HEADER, typ: "JWT" })),
  valid("typ at+jwt", signed(ed, { ...HEADER, typ: "at+jwt" })),
  valid("typ application/jwt", signed(ed, { ...HEADER, typ: "application/jwt" })),
  invalid("typ of a logout token", signed(ed, { ...HEADER, typ: "logout+jwt" }), "RFC 8725 section 3.11"),
  invalid("typ of a DPoP proof", signed(ed, { ...HEADER, typ: "dpop+jwt" }), "RFC 8725 section 3.11"),
  invalid("a typ that is a number", signed(ed, { ...HEADER, typ: 1 }), "RFC 7515 section 4.1.9 gives it a type"),
  valid("a cty", signed(ed, { ...HEADER, cty: "x" })),
  invalid("crit of a claim", signed(ed, { ...HEADER, crit: ["exp"], exp: 1 })),
  invalid("an empty crit", signed(ed, { ...HEADER, crit: [] })),
  invalid("crit of b64", signed(ed, { ...HEADER, crit: ["b64"], b64: false })),
  invalid("b64 without crit", signed(ed, { ...HEADER, b64: false }), "RFC 7797 section 6 asks for crit"),
  invalid("a jwk that signed the token", signed(stranger, { ...HEADER, jwk: stranger.jwk })),
  valid("a foreign jwk beside our signature", signed(ed, { ...HEADER, jwk: stranger.jwk })),
  invalid(
    "a jku and an x5u",
    signed(stranger, { ...HEADER, jku: "https://evil.example", x5u: "https://evil.example" }),
  ),
  valid("a jku beside our signature", signed(ed, { ...HEADER, jku: "https://evil.example" })),
  invalid("alg twice", signed(ed, '{"alg":"none","alg":"EdDSA","kid":"ed"}'), REPEATED),
  invalid("alg twice, once escaped", signed(ed, '{"\\u0061lg":"none","alg":"EdDSA","kid":"ed"}'), REPEATED),
  invalid("kid twice", signed(ed, '{"alg":"EdDSA","kid":"rsa","kid":"ed"}'), REPEATED),
  invalid("a member twice, further in", signed(ed, '{"alg":"EdDSA","kid":"ed","x":{"y":1,"y":2}}'), REPEATED),
  invalid("a list", signed(ed, '["EdDSA"]')),
  invalid("no JSON", signed(ed, "alg")),
  invalid("a byte order mark", signed(ed, `\uFEFF${JSON.stringify(HEADER)}`), MARK),
  invalid("bytes that are not UTF-8", signed(ed, withBytes('{"alg":"EdDSA","kid":"ed","x":', NOT_UTF8, "}"))),
  valid("768 bytes", signed(ed, padded({ ...HEADER, x: "" }, 768))),
  invalid("769 bytes", signed(ed, padded({ ...HEADER, x: "" }, 769)), LONG),
];

const claims = (text: string) => signed(ed, HEADER, text);
const payloads: Row[] = [
  valid("an empty object", claims("{}")),
  valid("fractions of seconds", claims('{"exp":1000.5,"nbf":0,"iat":0.5}')),
  valid("several audiences", claims('{"aud":["a","b"]}')),
  valid("null in a claim that is not registered", claims('{"org":null}')),
  ...["", "[]", "null", "1", '"x"', "{", "{}x"].map((text) =>
    invalid(`a payload of ${text || "nothing"}`, claims(text)),
  ),
  invalid("a byte order mark", claims(`\uFEFF${GOOD}`), MARK),
  invalid("bytes that are not UTF-8", signed(ed, HEADER, withBytes('{"sub":', NOT_UTF8, "}"))),
  invalid("sub twice", claims('{"sub":"root","sub":"ada"}'), REPEATED),
  invalid("sub twice, once escaped", claims('{"s\\u0075b":"root","sub":"ada"}'), REPEATED),
  invalid("a member twice, further in", claims('{"x":[{"y":{"z":1,"z":1}}]}'), REPEATED),
  valid("one name in two objects", claims('{"x":{"y":1},"z":[{"y":"\\"y\\":"}]}')),
  ...['"9999999999"', "null", "true", "[2000]"].map((exp) => invalid(`exp ${exp}`, claims(`{"exp":${exp}}`))),
  invalid("exp 1e999", claims('{"exp":1e999}'), "a token must end"),
  invalid("exp before 1970", claims('{"exp":-1}')),
  ...['"0"', "null", "{}"].flatMap((time) => [
    invalid(`iat ${time}`, claims(`{"iat":${time}}`)),
    invalid(`nbf ${time}`, claims(`{"nbf":${time}}`)),
  ]),
  invalid("iat before 1970", claims('{"iat":-1}'), TYPED),
  invalid("nbf before 1970", claims('{"nbf":-1}'), TYPED),
  ...["1", "null", '["x"]', "{}"].flatMap((value) =>
    ["jti", "sid", "sub", "iss"].map((name) => invalid(`${name} ${value}`, claims(`{"${name}":${value}}`), TYPED)),
  ),
  ...["1", "null", "[1]", '["a",null]', "{}"].map((aud) => invalid(`aud ${aud}`, claims(`{"aud":${aud}}`), TYPED)),
];

const longest = 8_192 - head.length - signature.length - 2;
const forms: Row[] = [
  ...["", ".", "..", head, `${head}.${body}`, `${good}.${signature}`, `${good}.${signature}.${signature}`].map((text) =>
    invalid(`${text.split(".").length} parts, ${text.length} characters`, text),
  ),
  invalid("an empty header", `.${body}.${signature}`),
  invalid("an empty payload", signedText(ed, `${head}.`)),
  invalid("an empty signature", `${head}.${body}.`),
  invalid("padding of the signature", `${good}==`, LENIENT),
  invalid("padding of the payload", signedText(ed, `${head}.${encode("{}")}=`), LENIENT),
  invalid("the alphabet of base64", signedText(ed, `${head}.${Buffer.from('{"x":"??>"}').toString("base64")}`)),
  invalid("stray bits of the signature", stray(good), LENIENT),
  invalid("stray bits of the payload", signedText(ed, `${head}.${stray(encode("{}"))}`), LENIENT),
  invalid("stray bits of the header", signedText(ed, `${stray(head)}.${body}`), LENIENT),
  invalid("a character more", signedText(ed, `${head}.${encode("{} ")}A`)),
  invalid("white space before", ` ${good}`),
  invalid("a line break behind", `${good}\n`, LENIENT),
  invalid("white space within", `${head}.${body}. ${signature}`, LENIENT),
  invalid("a letter beyond ASCII", `${head}.${body}é.${signature}`),
  invalid("a JSON serialisation", JSON.stringify({ protected: head, payload: body, signature })),
  valid("8192 characters", signed(ed, HEADER, padded({ x: "" }, (longest * 3) / 4))),
  invalid("more than 8192 characters", signed(ed, HEADER, padded({ x: "" }, (longest * 3) / 4 + 1)), LONG),
];

export const tokenRows: Record<string, readonly Row[]> = { signatures, headers, payloads, forms };

/** JSON of exactly so many bytes. */
function padded(value: { x: string }, bytes: number): string {
  const length = Math.floor(bytes) - JSON.stringify(value).length;
  return JSON.stringify({ ...value, x: "x".repeat(length) });
}

/** The same bytes in another spelling: the last character's unused bits are set. */
function stray(text: string): string {
  return text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);
}
