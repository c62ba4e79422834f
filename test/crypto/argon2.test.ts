import { expect, test } from "bun:test";
import { LazyArgon2 } from "../../src/crypto/argon2.ts";
import { CapturedLog } from "../support/logs.ts";

const native = new LazyArgon2(null);
const broken = (log: CapturedLog) =>
  new LazyArgon2(log, () => Promise.reject(new Error("Cannot find it", { cause: new Error("noexec") })));

test("without the native module, Bun's argon2id reads and writes the same strings, and the log says so once", async () => {
  const log = new CapturedLog();
  const slow = broken(log);
  const [ours, theirs] = await Promise.all([native.hash("secret"), slow.hash("secret")]);
  for (const stored of [ours, theirs]) {
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{43}$/);
    for (const program of [native, slow]) {
      expect(await program.verify(stored, "secret")).toBe(true);
      expect(await program.verify(stored, "Secret")).toBe(false);
    }
  }
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([["warn", { reason: "noexec" }]]);
});

test("the module is loaded at the first hash, once, and not before", async () => {
  let loads = 0;
  const counted = new LazyArgon2(null, async () => {
    loads++;
    return native;
  });
  expect(loads).toBe(0);
  await Promise.all([counted.hash("a"), counted.hash("b")]);
  await counted.verify(await counted.hash("c"), "c");
  expect(loads).toBe(1);
});
