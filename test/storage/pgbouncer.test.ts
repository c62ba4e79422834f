import { afterAll, beforeAll, describe, expect } from "bun:test";
import { openStorage } from "../../src/storage/open.ts";
import { eachPostgresDriver } from "../support/databases.ts";
import { bouncerTest, startBouncer } from "../support/pgbouncer.ts";
import { startPostgres } from "../support/postgres.ts";
import { insertSetting, readSetting, settingNames } from "./statements.ts";

/** The parameters that our connections would set, and that pgbouncer drops instead of refusing. */
const IGNORING = "ignore_startup_parameters=statement_timeout,idle_in_transaction_session_timeout,extra_float_digits";

eachPostgresDriver((driver) => {
  beforeAll(() => startPostgres(), 60_000);
  const stops: (() => void)[] = [];
  afterAll(() => {
    for (const stop of stops) stop();
  });

  for (const [name, more] of [
    ["refuses", ""],
    ["ignores", IGNORING],
  ] as const) {
    describe(`behind pgbouncer in transaction mode, which ${name} parameters of a session`, () => {
      const open = async () => {
        const bouncer = await startBouncer(await (await startPostgres()).createDatabase(), more);
        stops.push(bouncer.stop);
        return openStorage({ kind: "postgres", url: bouncer.url, driver, maxConnections: 12 });
      };

      bouncerTest("migrates, and more callers than connections read and write at once", async () => {
        const storage = await open();
        const names = Array.from({ length: 60 }, (_, index) => `setting-${index}`);
        await Promise.all(names.map((name) => storage.write((tx) => tx.first(insertSetting, { name, value: name }))));
        const read = await Promise.all(
          Array.from({ length: 300 }, (_, index) => storage.read.first(readSetting, { name: `setting-${index % 60}` })),
        );
        expect(read.map((row) => row?.value)).toEqual(Array.from({ length: 300 }, (_, i) => `setting-${i % 60}`));
        expect(await settingNames(storage)).toEqual(expect.arrayContaining(names));
        await storage.close();
      });

      bouncerTest("limits each statement of a write, and leaves the limit to no other client", async () => {
        const storage = await open();
        const limit = (at: typeof storage.read) =>
          at.kysely
            .selectNoFrom((eb) => eb.fn<string>("current_setting", [eb.val("statement_timeout")]).as("value"))
            .executeTakeFirstOrThrow();
        expect(await storage.write((tx) => limit(tx))).toEqual({ value: "5s" });
        for (let i = 0; i < 10; i++) expect(await limit(storage.read)).toEqual({ value: "0" });
        await storage.close();
      });
    });
  }
});
