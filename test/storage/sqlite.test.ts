import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStorage } from "../../src/storage/open.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { damage } from "../support/damage.ts";
import { storageConformance } from "./conformance.ts";
import { insertSetting, readSetting, rejection, settingNames } from "./statements.ts";

const directory = mkdtempSync(join(tmpdir(), "sallyport-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let count = 0;
const newFile = () => join(directory, `data-${++count}.db`);
const open = (file: string) => openStorage({ kind: "sqlite", file });
const mode = (file: string) => statSync(file).mode & 0o777;

const put = (storage: Storage, name: string) => storage.write((tx) => tx.first(insertSetting, { name, value: "1" }));

function startChild(file: string, prefix: string, writes: number) {
  const script = join(import.meta.dir, "writing-child.ts");
  return Bun.spawn([process.execPath, script, file, prefix, String(writes)], { stdout: "pipe", stderr: "inherit" });
}

describe("sqlite file", () => {
  storageConformance(() => open(newFile()));

  test("files belong to their owner alone, even a file that was open to others", async () => {
    const file = newFile();
    const storage = await open(file);
    await put(storage, "x");
    expect([file, `${file}-wal`, `${file}-shm`].map(mode)).toEqual([0o600, 0o600, 0o600]);
    await storage.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    chmodSync(file, 0o644);
    await (await open(file)).close();
    expect(mode(file)).toBe(0o600);
  });

  test("a written row is there after a restart", async () => {
    const file = newFile();
    const first = await open(file);
    await put(first, "kept");
    await first.close();
    const second = await open(file);
    expect(await second.read.first(readSetting, { name: "kept" })).toEqual({ value: "1" });
    await second.close();
  });

  test("the reader cannot write", async () => {
    const storage = await open(newFile());
    const error = await rejection(storage.read.first(insertSetting, { name: "x", value: "1" }));
    expect(error).toMatchObject({ code: "SQLITE_READONLY" });
    await storage.close();
  });

  test("a file that is not a database is refused and left unchanged", async () => {
    const file = newFile();
    writeFileSync(
      file,
      "this is a letter, not a database, and long enough to be taken for one by its header".repeat(20),
    );
    expect(await rejection(open(file))).toMatchObject({ code: "SQLITE_NOTADB" });
    expect(statSync(file).size).toBeGreaterThan(1_000);
  });

  test("waits for another process's write lock without stopping the event loop", async () => {
    const file = newFile();
    const storage = await open(file);
    const other = new Database(file);
    other.run("BEGIN IMMEDIATE");
    let answered = false;
    const write = put(storage, "waits").then(() => {
      answered = true;
    });
    await Bun.sleep(30);
    expect(answered).toBe(false);
    expect(await storage.read.first(readSetting, { name: "waits" })).toBeUndefined();
    other.run("COMMIT");
    other.close();
    await write;
    expect(await storage.read.first(readSetting, { name: "waits" })).toEqual({ value: "1" });
    await storage.close();
  });
});

describe("a check for damage", () => {
  test.each([
    ["a small file, in the loop", 10],
    ["a large one, in its thread", 6_000],
  ])("finds it in %s", async (_name, rows) => {
    const file = newFile();
    const storage = await open(file);
    await storage.check();
    const value = "x".repeat(1_000);
    await storage.write(async (tx) => {
      for (let i = 0; i < rows; i++) await tx.first(insertSetting, { name: `row-${i}`, value });
    });
    await storage.check();
    expect(storage.stats().isDamaged).toBe(false);
    await storage.close();
    expect(statSync(file).size > 4 * 1024 * 1024).toBe(rows > 1_000);
    damage(file);
    const damaged = await open(file);
    expect(await rejection(damaged.check())).toMatchObject({ code: "SQLITE_CORRUPT" });
    expect(damaged.stats().isDamaged).toBe(true);
    expect(await rejection(damaged.probe())).toMatchObject({ code: "storage_unavailable" });
    await damaged.close();
  });
});

describe("the write-ahead log", () => {
  test("is copied into the database and reused while writing goes on", async () => {
    const file = newFile();
    const storage = await open(file);
    const value = "v".repeat(60_000);
    let next = 0;
    let small = 0;
    const writeMany = () =>
      Promise.all(
        Array.from({ length: 300 }, () =>
          storage.write((tx) => tx.first(insertSetting, { name: `n${next++}`, value })),
        ),
      );
    const walSize = () => statSync(`${file}-wal`).size;
    await writeMany();
    expect(walSize()).toBeGreaterThan(300 * value.length);
    // After a copy that reached the end, the next write begins at the start, and the file stops growing.
    let pause = 20;
    for (let before = 0; before !== walSize(); pause *= 1.5) {
      // One of these writes begins a copy, and the first write after its end begins at the start again. The waits grow in
      // every round, because the copying thread needs its turn on a busy machine.
      for (let i = 0; i < 66; i++) {
        await put(storage, `small-${small++}`);
        await Bun.sleep(pause / 10);
      }
      before = walSize();
      await writeMany();
    }
    expect(statSync(file).size).toBeGreaterThan(300 * value.length);
    expect(await settingNames(storage)).toHaveLength(next + small);
    await storage.close();
  }, 60_000);
});

describe("backup", () => {
  test("is consistent under writes, and holds every write that was acknowledged before", async () => {
    const file = newFile();
    const storage = await open(file);
    let stop = false;
    let acknowledged = 0;
    const pair = async () => {
      while (!stop) {
        const number = acknowledged++;
        await storage.write(async (tx) => {
          await tx.first(insertSetting, { name: `a-${number}`, value: "1" });
          await tx.first(insertSetting, { name: `b-${number}`, value: "1" });
        });
      }
    };
    const writers = Promise.all([pair(), pair(), pair()]);
    for (let round = 0; round < 3; round++) {
      await Bun.sleep(20);
      const before = await settingNames(storage);
      const target = join(directory, `backup-${round}.db`);
      await storage.backup(target);
      expect(mode(target)).toBe(0o600);
      const copy = new Database(target, { readonly: true });
      expect(copy.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
      const names = new Set(copy.query("SELECT name FROM instance_settings").values().flat() as string[]);
      copy.close();
      expect(before.filter((name) => !names.has(name))).toEqual([]);
      expect([...names].filter((name) => !names.has(name.replace(/^./, (kind) => (kind === "a" ? "b" : "a"))))).toEqual(
        [],
      );
    }
    stop = true;
    await writers;
    await storage.close();
    const restored = await open(join(directory, "backup-0.db"));
    expect((await settingNames(restored)).length).toBeGreaterThan(0);
    await restored.close();
  }, 30_000);

  test.each(["memory", "sqlite"] as const)("never overwrites a file (%s)", async (kind) => {
    const storage = await openStorage(kind === "memory" ? { kind } : { kind, file: newFile() });
    await put(storage, "x");
    const target = join(directory, `existing-${kind}.db`);
    await storage.backup(target);
    const size = statSync(target).size;
    expect(await rejection(storage.backup(target))).toMatchObject({ code: "EEXIST" });
    expect(statSync(target).size).toBe(size);
    expect(await rejection(storage.backup(join(directory, "no-such-folder", "x.db")))).toMatchObject({
      code: "ENOENT",
    });
    await storage.close();
  });
});

describe("several processes", () => {
  test("write to the same file at the same time", async () => {
    const file = newFile();
    await (await open(file)).close();
    const children = ["left", "right"].map((prefix) => startChild(file, prefix, 200));
    const storage = await open(file);
    for (let i = 0; i < 50; i++) await put(storage, `own-${i}`);
    expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0]);
    expect(await settingNames(storage)).toHaveLength(2 * 400 + 50);
    await storage.close();
  }, 30_000);

  test("a killed process has kept every acknowledged write, and no half of one", async () => {
    const file = newFile();
    for (let round = 0; round < 4; round++) {
      const child = startChild(file, `r${round}`, 1_000_000);
      let text = "";
      let killed = false;
      for await (const chunk of child.stdout) {
        text += new TextDecoder().decode(chunk);
        if (!killed && text.length > 200 * (round + 1)) {
          killed = true;
          child.kill("SIGKILL");
        }
      }
      await child.exited;
      const acknowledged = text.split("\n").slice(0, -1);
      const storage = await open(file);
      const names = new Set(await settingNames(storage));
      await storage.close();
      expect(acknowledged.length).toBeGreaterThan(10);
      expect(acknowledged.filter((number) => !names.has(`r${round}-${number}`))).toEqual([]);
      const first = [...names].filter((name) => !name.endsWith("-second"));
      expect(first.filter((name) => !names.has(`${name}-second`))).toEqual([]);
      expect(names.size).toBe(first.length * 2);
    }
  }, 60_000);
});
