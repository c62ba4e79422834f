import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseLimit } from "../../src/core/limits.ts";
import { nextValue } from "../../src/storage/counters.ts";
import { isUniqueViolation } from "../../src/storage/errors.ts";
import { admit, clear } from "../../src/storage/rate-limits.ts";
import { type Executor, type Param, prepared, type Storage } from "../../src/storage/storage.ts";
import { insertSetting, readSetting, rejection, settingNames } from "./statements.ts";

const TIME = 1_900_000_000_123;

const insertTenant = prepared((db, p: Param<{ id: string; slug: string; at: number }>) =>
  db.insertInto("tenants").values({
    id: p("id"),
    slug: p("slug"),
    name: "Tenant",
    default_application_id: null,
    created_at: p("at"),
    updated_at: p("at"),
    disabled_at: null,
    language: "en",
    mail_from: null,
    mail_reply_to: null,
    notices_off: "[]",
  }),
);

/** Tests the contract of every storage. `open` returns an empty one. */
export function storageConformance(open: () => Promise<Storage>): void {
  describe("storage contract", () => {
    let storage: Storage;
    beforeAll(async () => {
      storage = await open();
    }, 60_000);
    afterAll(() => storage.close());

    test("a write is readable once it is acknowledged, and returns its own value", async () => {
      const answer = await storage.write(async (tx) => {
        await tx.first(insertSetting, { name: "seen", value: "1" });
        return (await tx.first(readSetting, { name: "seen" }))?.value;
      });
      expect(answer).toBe("1");
      expect(await storage.read.first(readSetting, { name: "seen" })).toEqual({ value: "1" });
      expect(await storage.read.all(readSetting, { name: "seen" })).toEqual([{ value: "1" }]);
      expect(await storage.read.first(readSetting, { name: "absent" })).toBeUndefined();
    });

    test("a write that throws keeps nothing and rejects with its own error", async () => {
      const failure = new Error("no");
      const error = await rejection(
        storage.write(async (tx) => {
          await tx.first(insertSetting, { name: "thrown", value: "1" });
          throw failure;
        }),
      );
      expect(error).toBe(failure);
      expect(await storage.read.first(readSetting, { name: "thrown" })).toBeUndefined();
    });

    test("a statement for later has run by the next statement, and is kept with the write", async () => {
      const seen = await storage.write(async (tx) => {
        tx.later(insertSetting, { name: "later", value: "1" });
        return tx.first(readSetting, { name: "later" });
      });
      expect(seen).toEqual({ value: "1" });
      await storage.write(async (tx) => tx.later(insertSetting, { name: "later-alone", value: "2" }));
      expect(await storage.read.first(readSetting, { name: "later" })).toEqual({ value: "1" });
      expect(await storage.read.first(readSetting, { name: "later-alone" })).toEqual({ value: "2" });
    });

    test("a statement for the end is kept with its write, and undoes it if it fails", async () => {
      await storage.write(async (tx) => tx.atEnd(insertSetting, { name: "end", value: "1" }));
      expect(await storage.read.first(readSetting, { name: "end" })).toEqual({ value: "1" });
      const error = await rejection(
        storage.write(async (tx) => {
          tx.atEnd(insertSetting, { name: "end", value: "2" });
          await tx.first(insertSetting, { name: "before-the-end", value: "1" });
        }),
      );
      expect(isUniqueViolation(error)).toBe(true);
      expect(await storage.read.first(readSetting, { name: "before-the-end" })).toBeUndefined();
    });

    test("a statement for later that fails undoes its write, which rejects with that error", async () => {
      await storage.write((tx) => tx.first(insertSetting, { name: "taken", value: "1" }));
      for (const goesOn of [true, false]) {
        const error = await rejection(
          storage.write(async (tx) => {
            await tx.first(insertSetting, { name: "before-taken", value: "1" });
            tx.later(insertSetting, { name: "taken", value: "2" });
            if (goesOn) await tx.first(readSetting, { name: "taken" });
          }),
        );
        expect(isUniqueViolation(error)).toBe(true);
        expect(await storage.read.first(readSetting, { name: "before-taken" })).toBeUndefined();
      }
    });

    test("a statement for later is refused once its write has ended", async () => {
      let late: Executor | undefined;
      await storage.write(async (tx) => {
        late = tx;
      });
      expect(() => late?.later(insertSetting, { name: "after-the-end", value: "1" })).toThrow("is over");
      expect(await storage.read.first(readSetting, { name: "after-the-end" })).toBeUndefined();
    });

    test("a failing write does not affect its neighbours", async () => {
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          storage.write(async (tx) => {
            await tx.first(insertSetting, { name: `neighbour-${i}`, value: "1" });
            if (i % 3 === 0) throw new Error("no");
            return i;
          }),
        ),
      );
      const kept = (await settingNames(storage)).filter((name) => name.startsWith("neighbour-"));
      const expected = results.flatMap((result, i) => (result.status === "fulfilled" ? [`neighbour-${i}`] : []));
      expect(kept).toEqual(expected.sort());
      expect(kept).toHaveLength(13);
    });

    test("integers are numbers and bytes are a plain Uint8Array", async () => {
      const sealed = new Uint8Array([0, 1, 255]);
      const row = { purpose: "types", version: 2 ** 33, sealed, created_at: TIME, retired_at: null };
      await storage.write((tx) => tx.kysely.insertInto("data_keys").values(row).execute());
      const byPurpose = prepared((db, p: Param<{ purpose: string }>) =>
        db.selectFrom("data_keys").selectAll().where("purpose", "=", p("purpose")),
      );
      const counted = storage.read.kysely.selectFrom("data_keys").select((eb) => eb.fn.countAll().as("key_count"));
      const read = await storage.read.first(byPurpose, { purpose: "types" });
      expect(read).toStrictEqual(row);
      expect(read?.sealed.constructor).toBe(Uint8Array);
      const built = await storage.read.kysely
        .selectFrom("data_keys")
        .selectAll()
        .where("purpose", "=", "types")
        .execute();
      expect(built).toStrictEqual([row]);
      expect(await counted.execute()).toStrictEqual([{ key_count: 1 }] as never);
    });

    test("text that looks like a number stays text", async () => {
      await storage.write((tx) => tx.first(insertSetting, { name: "digits", value: "12345678901" }));
      expect(await storage.read.first(readSetting, { name: "digits" })).toEqual({ value: "12345678901" });
    });

    test("updates and deletes return the number of rows that they touched", async () => {
      await storage.write((tx) => tx.first(insertSetting, { name: "touched", value: "1" }));
      const touched = await storage.write(async (tx) => {
        const set = await tx.kysely
          .updateTable("instance_settings")
          .set({ value: "2" })
          .where("name", "=", "touched")
          .execute();
        const gone = await tx.kysely.deleteFrom("instance_settings").where("name", "=", "nobody").execute();
        return [set[0]?.numUpdatedRows, gone[0]?.numDeletedRows];
      });
      expect(touched).toEqual([1n, 0n]);
    });

    test("unique violations are distinguished by column, and foreign keys are enforced", async () => {
      await storage.write((tx) => tx.first(insertTenant, { id: "t1", slug: "one", at: TIME }));
      const sameSlug = await rejection(
        storage.write((tx) => tx.first(insertTenant, { id: "t2", slug: "one", at: TIME })),
      );
      expect(isUniqueViolation(sameSlug)).toBe(true);
      expect(isUniqueViolation(sameSlug, "slug")).toBe(true);
      expect(isUniqueViolation(sameSlug, "id")).toBe(false);
      const sameId = await rejection(
        storage.write((tx) => tx.first(insertTenant, { id: "t1", slug: "two", at: TIME })),
      );
      expect(isUniqueViolation(sameId)).toBe(true);
      const orphan = {
        user_id: "nobody",
        tenant_id: "t1",
        hash: "h",
        version: 1,
        set_at: TIME,
      };
      const error = await rejection(
        storage.write((tx) => tx.kysely.insertInto("password_credentials").values(orphan).execute()),
      );
      expect(isUniqueViolation(error)).toBe(false);
      expect(isUniqueViolation(undefined)).toBe(false);
    });

    test("a nested write fails instead of waiting for ever", async () => {
      const error = await rejection(
        storage.write(() => storage.write((tx) => tx.first(insertSetting, { name: "nested", value: "1" }))),
      );
      expect(String(error)).toContain("nested write");
      expect(await storage.write(async () => "goes on")).toBe("goes on");
    });

    test("a transaction cannot be used after its write ended", async () => {
      const leaked = await storage.write(async (tx) => ({ tx }));
      const late = { name: "late", value: "1" };
      expect(String(await rejection(leaked.tx.first(insertSetting, late)))).toContain("over");
      const built = leaked.tx.kysely.insertInto("instance_settings").values(late);
      expect(String(await rejection(built.execute()))).toContain("over");
      expect(await storage.read.first(readSetting, { name: "late" })).toBeUndefined();
    });

    test("a missing parameter is an error, and not a null", async () => {
      const error = await rejection(storage.read.first(readSetting, {} as { name: string }));
      expect(String(error)).toContain("name");
    });

    test("counters have no gaps, even when writes fail", async () => {
      const values: number[] = [];
      await Promise.allSettled(
        Array.from({ length: 60 }, (_, i) =>
          storage.write(async (tx) => {
            const value = await nextValue(tx, "gapless");
            if (i % 4 === 0) throw new Error("no");
            values.push(value);
          }),
        ),
      );
      expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 45 }, (_, i) => i + 1));
    });

    test("a limit admits its burst, then refills evenly", async () => {
      const limit = { burst: 3, interval: 60_000 };
      const at = (now: number) => storage.write((tx) => admit(tx, "even", limit, now));
      const burst = await Promise.all([at(TIME), at(TIME), at(TIME), at(TIME), at(TIME)]);
      expect(burst.filter((admission) => admission.admitted)).toHaveLength(3);
      expect(await at(TIME)).toEqual({ admitted: false, retryAfter: 60 });
      expect(await at(TIME + 59_001)).toEqual({ admitted: false, retryAfter: 1 });
      expect(await at(TIME + 60_000)).toEqual({ admitted: true });
      expect(await at(TIME + 60_000)).toEqual({ admitted: false, retryAfter: 60 });
      await storage.write((tx) => clear(tx, "even"));
      expect(await at(TIME + 60_000)).toEqual({ admitted: true });
      expect(parseLimit("3/3m")).toEqual(limit);
    });

    test("a long rest earns no more than the burst", async () => {
      const limit = { burst: 2, interval: 1_000 };
      const at = (now: number) => storage.write((tx) => admit(tx, "rest", limit, now));
      expect(await at(TIME)).toEqual({ admitted: true });
      const later = [];
      for (let i = 0; i < 4; i++) later.push((await at(TIME + 86_400_000)).admitted);
      expect(later).toEqual([true, true, false, false]);
    });

    test("a clock that was set back locks nobody out", async () => {
      const limit = { burst: 2, interval: 1_000 };
      const at = (now: number) => storage.write((tx) => admit(tx, "back", limit, now));
      for (let i = 0; i < 2; i++) expect(await at(TIME + 86_400_000)).toEqual({ admitted: true });
      // One call passes, and the key is spent, not new: a clock that goes back and forth restores no allowance.
      expect(await at(TIME)).toEqual({ admitted: true });
      for (let i = 0; i < 3; i++) expect(await at(TIME)).toEqual({ admitted: false, retryAfter: 1 });
      expect(await at(TIME + 1_001)).toEqual({ admitted: true });
      expect(await at(TIME + 1_001)).toEqual({ admitted: false, retryAfter: 1 });
    });

    test("a request whose clock is behind the row's takes nothing back: one millisecond to a minute", async () => {
      for (const interval of [60_000, 1_000]) {
        for (const behind of [1, 2_000, 6_000, 59_000]) {
          const limit = { burst: 10, interval };
          const at = (now: number) => storage.write((tx) => admit(tx, `behind-${interval}-${behind}`, limit, now));
          expect(await at(TIME)).toEqual({ admitted: true });
          const calls = Array.from({ length: 60 }, (_, i) => at(TIME - (i % 2) * behind));
          const admitted = (await Promise.all(calls)).filter((admission) => admission.admitted);
          expect([interval, behind, admitted.length]).toEqual([interval, behind, 9]);
        }
      }
    });

    test("probe and stats count a write and a commit", async () => {
      const before = storage.stats();
      await storage.probe();
      expect(storage.stats().commits).toBeGreaterThan(before.commits);
      expect(storage.stats().writes).toBeGreaterThan(before.writes);
    });
  });

  test("close answers accepted writes and refuses later ones", async () => {
    const storage = await open();
    const taken = storage.write((tx) => tx.first(insertSetting, { name: "last", value: "1" }));
    const closing = storage.close();
    await taken;
    await closing;
    expect(await rejection(storage.write(async () => 1))).toMatchObject({ code: "storage_unavailable" });
    await storage.close();
  });
}
