import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openStorage } from "../../src/storage/open.ts";
import { PATIENCE } from "../../src/storage/postgres-deadlines.ts";
import { STATEMENT_TIMEOUT } from "../../src/storage/postgres-pool.ts";
import { admit, release } from "../../src/storage/rate-limits.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { startCountingProxy } from "../support/counting-proxy.ts";
import { eachPostgresDriver } from "../support/databases.ts";
import { startLosingProxy } from "../support/losing-proxy.ts";
import { startPostgres, startPrivatePostgres } from "../support/postgres.ts";
import { storageConformance } from "./conformance.ts";
import { insertSetting, readSetting, rejection, settingNames } from "./statements.ts";

const NOW = 1_900_000_000_000;

eachPostgresDriver((driver) => {
  const url = async () => (await startPostgres()).createDatabase();
  const open = async (database?: string) => openStorage({ kind: "postgres", url: database ?? (await url()), driver });
  beforeAll(() => startPostgres(), 60_000);

  storageConformance(open);

  describe("on a server that fails", () => {
    let storage: Storage;
    beforeAll(async () => {
      storage = await open();
    });
    afterAll(() => storage.close());

    test("replaces terminated connections", async () => {
      const { admin } = await startPostgres();
      await Promise.all(Array.from({ length: 8 }, () => storage.read.first(readSetting, { name: "x" })));
      const [{ name }] = (await storage.read.kysely
        .selectNoFrom((eb) => eb.fn<string>("current_database", []).as("name"))
        .execute()) as [{ name: string }];
      await admin.unsafe("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [name]);
      let served = 0;
      for (let i = 0; i < 50 && served < 10; i++) {
        const write = storage.write((tx) => tx.first(insertSetting, { name: `after-${i}`, value: "1" }));
        await write.then(
          () => served++,
          (error) => expect(error).toMatchObject({ code: "storage_unavailable" }),
        );
      }
      expect(served).toBe(10);
      expect((await settingNames(storage)).filter((setting) => setting.startsWith("after-"))).toHaveLength(10);
    });

    test("rejects a write as unavailable when its connection ends", async () => {
      const { admin } = await startPostgres();
      const error = await rejection(
        storage.write(async (tx) => {
          await tx.first(insertSetting, { name: "cut", value: "1" });
          const { rows } = await pid(tx.kysely);
          await admin.unsafe("SELECT pg_terminate_backend($1::int)", [rows]);
          await Bun.sleep(20);
          await tx.first(readSetting, { name: "cut" });
        }),
      );
      expect(error).toMatchObject({ code: "storage_unavailable", retryAfter: 1 });
      expect(await storage.read.first(readSetting, { name: "cut" })).toBeUndefined();
    });

    test("reports an unknown outcome when the answer to COMMIT is lost, and does not retry", async () => {
      const target = await url();
      const proxy = await startLosingProxy("COMMIT", target);
      const storage = await openStorage({ kind: "postgres", url: proxy.url, driver, maxConnections: 1 });
      let attempts = 0;
      proxy.lose();
      const error = await rejection(
        storage.write(async (tx) => {
          attempts++;
          await tx.first(insertSetting, { name: "lost", value: "1" });
        }),
      );
      expect(error).toMatchObject({ code: "outcome_unknown", retryAfter: 1 });
      expect(attempts).toBe(1);
      const direct = await openStorage({ kind: "postgres", url: target, driver });
      expect(await direct.read.first(readSetting, { name: "lost" })).toEqual({ value: "1" });
      await Promise.all([direct.close(), storage.close()]);
      proxy.stop();
    });

    test("sends BEGIN with the first statement, and COMMIT with those for later", async () => {
      const proxy = await startCountingProxy(await url());
      const storage = await openStorage({ kind: "postgres", url: proxy.url, driver, maxConnections: 1 });
      const write = (name: string) =>
        storage.write(async (tx) => {
          await tx.first(readSetting, { name });
          tx.later(insertSetting, { name, value: "1" });
          tx.later(insertSetting, { name: `${name}-2`, value: "1" });
        });
      // The first write prepares the statements.
      await write("warm");
      const before = proxy.roundTrips();
      await write("counted");
      const taken = proxy.roundTrips() - before;
      await storage.close();
      proxy.stop();
      // The driver `pg` waits for each answer.
      expect(taken).toBe(driver === "bun" ? 2 : 5);
    });

    test("gives a shared count back at the end of a write, so that no other write waits for it meanwhile", async () => {
      const database = await url();
      const [one, other] = [await open(database), await open(database)];
      const limit = { burst: 9, interval: 60_000 };
      const take = (at: Storage) => at.write((tx) => admit(tx, "network", limit, NOW));
      await take(other);
      await one.write(async (tx) => {
        await release(tx, "network", limit);
        await tx.first(readSetting, { name: "x" });
        expect(await take(other)).toEqual({ admitted: true });
      });
      const [row] = await other.read.kysely.selectFrom("rate_limits").select("tat_at").execute();
      expect(row?.tat_at).toBe(NOW + limit.interval);
      await Promise.all([one.close(), other.close()]);
    });

    test("gives up on a server that hangs, and keeps nothing of an abandoned write", async () => {
      const target = await url();
      const hanging = await openStorage({ kind: "postgres", url: target, driver, maxConnections: 1 });
      const { rows } = await pid(hanging.read.kysely);
      process.kill(Number(rows), "SIGSTOP");
      const calls = [
        hanging.write((tx) => tx.first(insertSetting, { name: "given-up", value: "1" })),
        hanging.read.first(readSetting, { name: "x" }),
        hanging.probe(),
      ];
      try {
        for (const error of await Promise.all(calls.map(rejection))) {
          expect(error).toMatchObject({ code: "storage_unavailable", retryAfter: 1 });
        }
        // The server still stands still: no answer of its own has ended the calls, but the callers' deadline.
        expect(PATIENCE).toBeLessThan(STATEMENT_TIMEOUT);
      } finally {
        process.kill(Number(rows), "SIGCONT");
      }
      await hanging.write((tx) => tx.first(insertSetting, { name: "afterwards", value: "1" }));
      expect(await settingNames(hanging)).toEqual(["afterwards"]);
      await hanging.close();
    }, 30_000);

    test("undoes a write whose statement was sent to a server that hangs", async () => {
      const hanging = await openStorage({ kind: "postgres", url: await url(), driver, maxConnections: 1 });
      let backend = 0;
      const write = hanging.write(async (tx) => {
        await tx.first(insertSetting, { name: "before", value: "1" });
        backend = Number((await pid(tx.kysely)).rows);
        process.kill(backend, "SIGSTOP");
        await tx.first(insertSetting, { name: "sent", value: "1" });
      });
      expect(await rejection(write)).toMatchObject({ code: "storage_unavailable" });
      process.kill(backend, "SIGCONT");
      await hanging.write((tx) => tx.first(insertSetting, { name: "afterwards", value: "1" }));
      expect(await settingNames(hanging)).toEqual(["afterwards"]);
      await hanging.close();
    }, 30_000);

    test("retries after a deadlock", async () => {
      await storage.write(async (tx) => {
        await tx.first(insertSetting, { name: "lock-a", value: "0" });
        await tx.first(insertSetting, { name: "lock-b", value: "0" });
      });
      let attempts = 0;
      let locked = 0;
      const meeting = Promise.withResolvers<void>();
      const both = (...names: [string, string]) =>
        storage.write(async (tx) => {
          attempts++;
          for (const name of names) {
            await tx.kysely.updateTable("instance_settings").set({ value: "1" }).where("name", "=", name).execute();
            // Each write holds its first row before either asks for its second row.
            if (++locked === 2) meeting.resolve();
            await meeting.promise;
          }
        });
      await Promise.all([both("lock-a", "lock-b"), both("lock-b", "lock-a")]);
      // Two attempts meet in a deadlock, and one of them comes again. It may lose once more, if it is first at a freed row.
      expect(attempts).toBeGreaterThanOrEqual(3);
    }, 15_000);

    test("undoes a write whose error was caught", async () => {
      const error = await rejection(
        storage.write(async (tx) => {
          await tx.first(insertSetting, { name: "twice", value: "1" });
          await tx.first(insertSetting, { name: "twice", value: "2" }).catch(() => undefined);
        }),
      );
      expect(String(error)).toContain("failed statement");
      expect(await storage.read.first(readSetting, { name: "twice" })).toBeUndefined();
    });

    test("backup refuses and names pg_dump", async () => {
      expect(String(await rejection(storage.backup("unused")))).toContain("pg_dump");
    });
  });

  test("several nodes may start on an empty database at once", async () => {
    const database = await url();
    const nodes = await Promise.all(Array.from({ length: 4 }, () => open(database)));
    expect(await nodes[0]?.read.kysely.selectFrom("tenants").selectAll().execute()).toEqual([]);
    await Promise.all(nodes.map((node) => node.close()));
  });

  test("a stopped server makes writes unavailable", async () => {
    const server = await startPrivatePostgres();
    const storage = await open(await server.createDatabase());
    await server.stop();
    expect(await rejection(storage.write(async () => 1))).toMatchObject({ code: "storage_unavailable" });
    expect(await rejection(storage.read.first(readSetting, { name: "x" }))).toMatchObject({
      code: "storage_unavailable",
    });
    await storage.close();
  }, 60_000);
});

async function pid(kysely: Storage["read"]["kysely"]): Promise<{ rows: number }> {
  const [row] = await kysely.selectNoFrom((eb) => eb.fn<number>("pg_backend_pid", []).as("pid")).execute();
  if (!row) throw new Error("no backend");
  return { rows: row.pid };
}
