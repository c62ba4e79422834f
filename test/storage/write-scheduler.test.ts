import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "bun";
import { StatementCompiler } from "../../src/storage/compile.ts";
import { openStorage } from "../../src/storage/open.ts";
import { SqliteConnection, sqliteDialect } from "../../src/storage/sqlite-executor.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { WalSync } from "../../src/storage/wal-sync.ts";
import { WriteScheduler } from "../../src/storage/write-scheduler.ts";
import { insertSetting, readSetting, rejection, settingNames } from "./statements.ts";

const UNAVAILABLE = { code: "storage_unavailable", retryAfter: 1 };
const directory = mkdtempSync(join(tmpdir(), "sallyport-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const put = (storage: Storage, name: string, value = "1") =>
  storage.write((tx) => tx.first(insertSetting, { name, value }));

describe("a batch", () => {
  test("is one commit for all writes of one loop turn", async () => {
    const storage = await openStorage({ kind: "memory" });
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => put(storage, `n${i}`)));
    const { writes, commits } = storage.stats();
    expect(writes).toBe(1_000);
    expect(commits).toBeLessThan(10);
    expect(await settingNames(storage)).toHaveLength(1_000);
    await storage.close();
  });

  test("keeps its other writes when one violates a constraint", async () => {
    const storage = await openStorage({ kind: "memory" });
    const results = await Promise.allSettled([put(storage, "a"), put(storage, "a"), put(storage, "b")]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await settingNames(storage)).toEqual(["a", "b"]);
    await storage.close();
  });

  test("is undone as a whole when a write waits for something outside the transaction", async () => {
    const storage = await openStorage({ kind: "memory" });
    // Not a timer: on a machine that stalls, a short one has run out before the scheduler looks.
    const outside = Promise.withResolvers<void>();
    const late = Promise.withResolvers<unknown>();
    const [before, stray, after] = await Promise.allSettled([
      put(storage, "before"),
      storage.write(async (tx) => {
        await tx.first(insertSetting, { name: "stray", value: "1" });
        await outside.promise;
        late.resolve(await rejection(tx.first(insertSetting, { name: "late", value: "1" })));
      }),
      put(storage, "after"),
    ]);
    expect(stray).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining("waited for") } });
    expect(before).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
    expect(after).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
    outside.resolve();
    expect(String(await late.promise)).toContain("over");
    expect(await settingNames(storage)).toEqual([]);
    await put(storage, "next");
    expect(storage.stats()).toEqual({ writes: 1, commits: 1, failedCommits: 1, isFailed: false, isDamaged: false });
    await storage.close();
  });

  test("is rejected as a whole when COMMIT fails, and the next batch goes on", async () => {
    const storage = await openStorage({ kind: "memory" });
    const orphan = { user_id: "x", tenant_id: "x", hash: "h", version: 1, set_at: 1 };
    const results = await Promise.allSettled([
      put(storage, "innocent"),
      storage.write(async (tx) => {
        const { sql } = await import("kysely");
        await sql`PRAGMA defer_foreign_keys = ON`.execute(tx.kysely);
        await tx.kysely.insertInto("password_credentials").values(orphan).execute();
      }),
    ]);
    for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
    await put(storage, "next");
    expect(await settingNames(storage)).toEqual(["next"]);
    await storage.close();
  });

  test("is rejected as a whole when its transaction is gone", async () => {
    const storage = await openStorage({ kind: "memory" });
    const { sql } = await import("kysely");
    const results = await Promise.allSettled([
      put(storage, "first"),
      storage.write(async (tx) => void (await sql`ROLLBACK`.execute(tx.kysely))),
      put(storage, "third"),
    ]);
    for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
    await put(storage, "next");
    expect(await settingNames(storage)).toEqual(["next"]);
    await storage.close();
  });
});

describe("a storage that fails", () => {
  async function fileWithSchema(name: string): Promise<string> {
    const file = join(directory, name);
    await (await openStorage({ kind: "sqlite", file })).close();
    return file;
  }

  test("read-only: writes are unavailable, and no caller hangs", async () => {
    const database = new Database(await fileWithSchema("read-only.db"), { readonly: true });
    const connection = new SqliteConnection(database, new StatementCompiler(sqliteDialect()));
    const scheduler = new WriteScheduler(connection, { flush: async () => undefined });
    const write = () => scheduler.write((tx) => tx.first(insertSetting, { name: "x", value: "1" }));
    const results = await Promise.allSettled([write(), write(), write()]);
    for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
    expect(scheduler.stats()).toMatchObject({ writes: 0, commits: 0 });
    await scheduler.close();
    connection.close();
  });

  test("a failed flush leaves the outcome unknown and closes the writer for good", async () => {
    const database = new Database(await fileWithSchema("flush.db"));
    const connection = new SqliteConnection(database, new StatementCompiler(sqliteDialect()));
    // The null device cannot be flushed.
    const descriptor = openSync("/dev/null", "r");
    const scheduler = new WriteScheduler(connection, new WalSync(descriptor));
    const causes: unknown[] = [];
    scheduler.onFailure((cause) => causes.push(cause));
    const write = (name: string) => scheduler.write((tx) => tx.first(insertSetting, { name, value: "1" }));
    const first = await Promise.allSettled([write("a"), write("b")]);
    // The rows are committed, so "nothing was changed" would be a lie after a restart.
    const unknown = { code: "outcome_unknown", retryAfter: 1 };
    for (const result of first) expect(result).toMatchObject({ status: "rejected", reason: unknown });
    expect(await rejection(write("c"))).toMatchObject(UNAVAILABLE);
    expect(causes).toHaveLength(1);
    expect(causes[0]).toBeInstanceOf(Error);
    expect(scheduler.stats().isFailed).toBe(true);
    await scheduler.close();
    connection.close();
    closeSync(descriptor);
    const restarted = await openStorage({ kind: "sqlite", file: join(directory, "flush.db") });
    expect(await settingNames(restarted)).toEqual(["a", "b"]);
    await restarted.close();
  });

  test("no write is answered before the flush after its commit, and the next batch commits meanwhile", async () => {
    const database = new Database(await fileWithSchema("pipeline.db"));
    const connection = new SqliteConnection(database, new StatementCompiler(sqliteDialect()));
    const flushes: { resolve: () => void }[] = [];
    const scheduler = new WriteScheduler(connection, {
      flush: () => new Promise((resolve) => flushes.push({ resolve })),
    });
    const answered: string[] = [];
    const write = (name: string) =>
      scheduler.write((tx) => tx.first(insertSetting, { name, value: "1" })).then(() => answered.push(name));
    const turns = async () => {
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    };
    const first = write("first");
    await turns();
    const second = write("second");
    await turns();
    expect(scheduler.stats().commits).toBe(2);
    expect(answered).toEqual([]);
    flushes[0]?.resolve();
    await first;
    await turns();
    expect(answered).toEqual(["first"]);
    const closing = scheduler.close();
    flushes[1]?.resolve();
    await second;
    await closing;
    connection.close();
  });

  const tiny = join(directory, "tiny");
  mkdirSync(tiny);
  const mounted =
    process.getuid?.() === 0 && spawnSync(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tiny]).success;
  afterAll(() => {
    if (mounted) spawnSync(["umount", "-l", tiny]);
  });

  test.skipIf(!mounted)("full disk: only that batch fails; reads and later writes work (needs root)", async () => {
    const storage = await openStorage({ kind: "sqlite", file: join(tiny, "data.db") });
    await put(storage, "kept");
    const ballast = join(tiny, "ballast");
    try {
      writeFileSync(ballast, new Uint8Array(4 << 20));
    } catch {
      // It is meant to fill the disk.
    }
    const large = "x".repeat(100_000);
    const results = await Promise.allSettled([put(storage, "small"), put(storage, "large", large), put(storage, "z")]);
    for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
    expect(await settingNames(storage)).toEqual(["kept"]);
    rmSync(ballast);
    await put(storage, "again");
    expect(await storage.read.first(readSetting, { name: "again" })).toEqual({ value: "1" });
    expect(await settingNames(storage)).toEqual(["again", "kept"]);
    await storage.close();
  });
});
