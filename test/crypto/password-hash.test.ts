import { describe, expect, test } from "bun:test";
import { createHmac, randomBytes } from "node:crypto";
import { hash as argon2, verify as argon2Verify } from "@node-rs/argon2";
import { systemClock } from "../../src/core/clock.ts";
import { AppError } from "../../src/core/errors.ts";
import { HashQueue } from "../../src/crypto/hash-queue.ts";
import { PasswordHasher } from "../../src/crypto/password-hash.ts";

const pepper = { version: 3, key: randomBytes(32) };
const older = { version: 2, key: randomBytes(32) };
const pepperOf = (version: number) => [pepper, older].find((one) => one.version === version)?.key;
const context = { fairnessKey: "192.0.2.0", pepper };
const queueOf = (slots: number, maxWaiting: number) =>
  new HashQueue({ slots, maxWaiting, maxWaitingPerKey: maxWaiting, clock: systemClock });
const hasher = new PasswordHasher(queueOf(1, 100));
const password = "five tame otters hum at dawn";
const stored = await hasher.hash(password, context);

describe("PasswordHasher (ASVS 11.4.2)", () => {
  test("stores the pepper's version, argon2id and its parameters, with a salt", async () => {
    expect(stored).toStartWith("p3$argon2id$v=19$m=19456,t=2,p=1$");
    expect(await hasher.hash(password, context)).not.toBe(stored);
  });

  test("the input of argon2id is the base64url of HMAC-SHA-256(pepper, password)", async () => {
    const input = createHmac("sha256", pepper.key).update(password).digest("base64url");
    expect(await argon2Verify(stored.slice(2), input)).toBe(true);
    expect(await argon2Verify(stored.slice(2), password)).toBe(false);
  });

  test("verifies only the exact password (ASVS 6.2.8)", async () => {
    const verify = (text: string) => hasher.verify(stored, text, { fairnessKey: "a", pepperOf });
    expect(await verify(password)).toBe(true);
    for (const wrong of [`${password} `, password.toUpperCase(), password.slice(0, -1), "", `${password}\u0000`]) {
      expect(await verify(wrong)).toBe(false);
    }
  });

  test("long passwords differ in their last character, and two forms of the same text do not differ", async () => {
    const long = "ä".repeat(300);
    const kept = await hasher.hash(long, context);
    expect(await hasher.verify(kept, `${long.slice(1)}b`, { fairnessKey: "a", pepperOf })).toBe(false);
    expect(await hasher.verify(kept, long.normalize("NFD"), { fairnessKey: "a", pepperOf })).toBe(true);
  });

  test("an older pepper still verifies and needs a rehash, and a wrong pepper does not verify", async () => {
    const before = await hasher.hash(password, { ...context, pepper: older });
    expect(await hasher.verify(before, password, { fairnessKey: "a", pepperOf })).toBe(true);
    expect(hasher.needsRehash(before, pepper.version)).toBe(true);
    expect(hasher.needsRehash(stored, pepper.version)).toBe(false);
    expect(await hasher.verify(stored, password, { fairnessKey: "a", pepperOf: () => older.key })).toBe(false);
  });

  test("other parameters need a rehash", async () => {
    const weak = `p3${await argon2(password, { memoryCost: 1024, timeCost: 2, parallelism: 1 })}`;
    expect(hasher.needsRehash(weak, 3)).toBe(true);
    expect(hasher.needsRehash("p3$2b$10$abc", 3)).toBe(true);
  });

  test("a foreign hash and a hash with a lost pepper are errors, and never a refusal", async () => {
    const verify = (text: string) => hasher.verify(text, password, { fairnessKey: "a", pepperOf });
    await expect(verify("")).rejects.toThrow("unknown form");
    await expect(verify(stored.slice(2))).rejects.toThrow("unknown form");
    await expect(verify(stored.replace("argon2id", "argon2i"))).rejects.toThrow("unknown form");
    await expect(verify(stored.replace("p3", "p9"))).rejects.toThrow("Pepper version 9");
  });

  test("the dummy is one hash with the same parameters, and always false", async () => {
    const before = hasher.hashesDone;
    expect(await hasher.verifyDummy(password, context)).toBe(false);
    expect(hasher.hashesDone).toBe(before + 1);
    await hasher.verify(stored, "wrong", { fairnessKey: "a", pepperOf });
    expect(hasher.hashesDone).toBe(before + 2);
  });

  test("a flood of real hashes is refused, and a second network gets its turn in between", async () => {
    const queue = queueOf(1, 6);
    const busy = new PasswordHasher(queue);
    const order: string[] = [];
    const attempt = (fairnessKey: string) =>
      busy.verifyDummy(password, { fairnessKey, pepper }).then(
        () => order.push(fairnessKey),
        (error: unknown) => order.push(error instanceof AppError ? error.code : "other"),
      );
    const flood = Array.from({ length: 5 }, () => attempt("flood"));
    const guest = attempt("guest");
    const late = Array.from({ length: 3 }, () => attempt("flood"));
    await Promise.all([...flood, guest, ...late]);
    expect(order.filter((entry) => entry === "overloaded").length).toBe(2);
    const served = order.filter((entry) => entry !== "overloaded");
    expect(served.slice(0, 3)).toEqual(["flood", "flood", "guest"]);
    expect(queue.stats).toMatchObject({ done: 7, shed: 2, waiting: 0, running: 0 });
  });
});
