import { expect, test } from "bun:test";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { signerOf, verifierOf } from "../../src/crypto/signatures.ts";

const ROUNDS = 100;
const data = new TextEncoder().encode("a token of the usual length ".repeat(20));

/** Returns the microseconds of CPU that this thread alone took. */
async function ownWork(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

const onThread = (key: KeyObject) => () => {
  for (let round = 0; round < ROUNDS; round++) sign("sha256", data, key);
};

test("an RSA signature is made on another thread, so that it holds up no other request", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const signer = signerOf("RS256", privateKey);
  onThread(privateKey)();
  const there = await ownWork(onThread(privateKey));
  const here = await ownWork(() => Promise.all(Array.from({ length: ROUNDS }, () => signer(data))));
  expect(here).toBeLessThan(there / 3);
  expect(verifierOf("RS256", publicKey)(data, await signer(data))).toBe(true);
});
