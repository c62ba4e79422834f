import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { generateMasterKey, parseMasterKeys, SealError, sealedVersion } from "../../src/crypto/master-key.ts";

const context = { keyId: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f", purpose: "pepper" };
const secret = new TextEncoder().encode("a sealed text.");

describe("master keys as text", () => {
  test("every form of a key is the same key", () => {
    const bytes = randomBytes(32);
    const forms = [
      `v1:${bytes.toString("base64url")}`,
      bytes.toString("base64"),
      bytes.toString("base64url"),
      bytes.toString("hex"),
      `# a comment\r\n  v1:${bytes.toString("hex")}  \r\n`,
    ];
    expect(new Set(forms.map((form) => parseMasterKeys(form).fingerprint())).size).toBe(1);
  });

  test("lines and commas separate keys, and the highest version is current", () => {
    const keys = parseMasterKeys(`${generateMasterKey(2)},${generateMasterKey(10)}\n${generateMasterKey(1)}\n`);
    expect(keys.versions).toEqual([1, 2, 10]);
    expect(keys.currentVersion).toBe(10);
    expect(keys.fingerprint()).not.toBe(keys.fingerprint(1));
  });

  const bare = generateMasterKey().slice(3);
  test.each([
    ["", "no master key"],
    ["# only a comment\n", "no master key"],
    ["v1:", "32 bytes"],
    ["v1:AAAA", "32 bytes"],
    [`v1:${bare}AA`, "32 bytes"],
    [`v1:${bare.slice(0, 42)}~`, "32 bytes"],
    [`v0:${bare}`, "version"],
    [`v01:${bare}`, "version"],
    [`v65536:${bare}`, "version"],
    [`v1:${bare}\nv1:${generateMasterKey().slice(3)}`, "repeats version 1"],
    [`v1:${bare}\nv2:${bare}`, "another version"],
    [`v1:${Buffer.alloc(32).toString("base64url")}`, "placeholder"],
  ])("%p is refused with a fix, and no key is repeated", (text, reason) => {
    expect(() => parseMasterKeys(text)).toThrow(reason);
    expect(() => parseMasterKeys(text)).not.toThrow(bare.slice(0, 20));
  });

  test("base64url with stray trailing bits is not canonical", () => {
    const key = Buffer.alloc(32, 7).fill(9, 16).toString("base64url");
    expect(() => parseMasterKeys(key)).not.toThrow();
    const stray = key.slice(0, -1) + String.fromCharCode(key.charCodeAt(42) + 1);
    expect(() => parseMasterKeys(stray)).toThrow("32 bytes");
  });
});

describe("seals (AES-256-GCM; ASVS 11.3.2)", () => {
  const keys = parseMasterKeys(generateMasterKey());

  test("open what they sealed, also an empty secret, and never produce the same bytes twice", () => {
    expect(keys.open(keys.seal(secret, context), context)).toEqual(secret);
    expect(keys.open(keys.seal(new Uint8Array(), context), context)).toEqual(new Uint8Array());
    expect(keys.seal(secret, context)).not.toEqual(keys.seal(secret, context));
  });

  test("layout: format, version, nonce, ciphertext, tag", () => {
    const sealed = parseMasterKeys(generateMasterKey(259)).seal(secret, context);
    expect([...sealed.subarray(0, 3)]).toEqual([1, 1, 3]);
    expect(sealedVersion(sealed)).toBe(259);
    expect(sealed.length).toBe(3 + 12 + secret.length + 16);
  });

  test("every altered bit is detected", () => {
    const sealed = keys.seal(secret, context);
    for (let i = 0; i < sealed.length * 8; i++) {
      const altered = sealed.slice();
      altered[i >> 3] = (altered[i >> 3] ?? 0) ^ (1 << (i & 7));
      expect(() => keys.open(altered, context)).toThrow(SealError);
    }
  });

  test("every shortened seal is detected", () => {
    const sealed = keys.seal(secret, context);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => keys.open(sealed.slice(0, length), context)).toThrow(SealError);
    }
  });

  test.each([
    [{ ...context, purpose: "refresh" }],
    [{ ...context, keyId: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e60" }],
    [{ keyId: `${context.keyId}pep`, purpose: "per" }],
    [{ keyId: "", purpose: `${context.keyId}pepper` }],
  ])("a seal does not open under another context: %p", (other) => {
    expect(() => keys.open(keys.seal(secret, context), other)).toThrow(SealError);
  });

  test("rotation: the new key seals, and the old one still opens its seals until it is removed", () => {
    const [first, second] = [generateMasterKey(1), generateMasterKey(2)];
    const before = parseMasterKeys(first).seal(secret, context);
    const both = parseMasterKeys(`${first}\n${second}`);
    expect(both.open(before, context)).toEqual(secret);
    const after = both.seal(secret, context);
    expect(sealedVersion(after)).toBe(2);
    expect(() => parseMasterKeys(second).open(before, context)).toThrow("version 1");
    expect(() => parseMasterKeys(first).open(after, context)).toThrow("version 2");
  });

  test("another key of the same version does not open", () => {
    const sealed = keys.seal(secret, context);
    expect(() => parseMasterKeys(generateMasterKey()).open(sealed, context)).toThrow(SealError);
  });
});
