import { describe, expect, test } from "bun:test";
import { JwsError } from "../../src/jose/error.ts";
import { readPublicKey } from "../../src/jose/jwk.ts";
import { verifySignature } from "../../src/sdk/server/keys.ts";
import { keyRows, moduli } from "./key-rows.ts";
import { tokenRows } from "./token-rows.ts";
import { accepts, implementations, joseAccepts } from "./verifiers.ts";

// The appliance and the SDK, on both of its back ends, come to one verdict on every row, and are nowhere laxer than `jose`.
describe.each(Object.entries({ ...tokenRows, ...keyRows }))(
  "%s (RFC 7515, 7517, 7519, 8725; ASVS 9.1.1, 9.1.2, 9.1.3)",
  (_name, rows) => {
    test.each(rows.map((row) => [row.name, row] as const))("%s", async (_title, { token, set, verdict, stricter }) => {
      for (const implementation of implementations) {
        const accepted = await accepts(implementation, set, token);
        expect([implementation.name, accepted ? "valid" : "invalid"]).toEqual([implementation.name, verdict]);
      }
      const judged = await joseAccepts(set, token);
      expect(["jose", judged]).toEqual(["jose", verdict === "valid" || stricter !== undefined]);
    });
  },
);

test("the SDK asks no platform about a signature of another length", () => {
  const key = { kid: "k", algorithm: "RS256", signatureLength: 256, verify: () => true } as const;
  const verify = (length: number) =>
    verifySignature({ header: { alg: "RS256" }, signed: "", payload: "", signature: new Uint8Array(length) }, key);
  expect([0, 255, 256, 257].map(verify)).toEqual([false, false, true, false]);
});

describe("RSA moduli (RFC 7518 section 3.3)", () => {
  test.each(moduli.map((row) => [row.name, row] as const))("%s", async (_title, { n, isSound }) => {
    const jwk = { kty: "RSA", n, e: "AQAB" };
    if (!isSound) {
      expect(() => readPublicKey("RS256", jwk, "k")).toThrow(JwsError);
      return;
    }
    const read = readPublicKey("RS256", jwk, "k");
    for (const implementation of implementations) expect(await implementation.importKey(read)).not.toBeNull();
  });
});
