import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openStorage } from "../../src/storage/open.ts";
import { hostsOf } from "../../src/storage/postgres-url.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { eachPostgresDriver } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { type Cluster, startCluster } from "../support/postgres-cluster.ts";
import { insertSetting, readSetting, rejection } from "./statements.ts";

describe("a URL of PostgreSQL", () => {
  test.each([
    ["postgres://u:p@db/name", [["db:5432", "postgres://u:p@db/name"]]],
    ["postgres://u:p%40@db:6000/name?sslmode=require", [["db:6000", "postgres://u:p%40@db:6000/name?sslmode=require"]]],
    [
      "postgresql://u@a,b:5433,[::1]:5434/name?target_session_attrs=read-write&sslmode=require",
      [
        ["a:5432", "postgresql://u@a/name?sslmode=require"],
        ["b:5433", "postgresql://u@b:5433/name?sslmode=require"],
        ["[::1]:5434", "postgresql://u@[::1]:5434/name?sslmode=require"],
      ],
    ],
    [
      "postgres://a,b",
      [
        ["a:5432", "postgres://a"],
        ["b:5432", "postgres://b"],
      ],
    ],
    ["postgres:///name?host=/run/postgresql", [["/run/postgresql:5432", "postgres:///name?host=%2Frun%2Fpostgresql"]]],
  ])("%s", (url, expected) => {
    expect(hostsOf(url).map(({ name, url: own }) => [name, own])).toEqual(expected);
  });

  test.each([
    ["mysql://db/name", "must begin with postgres://"],
    ["postgres://u:sesame@a,,b/name", 'the host ""'],
    ["postgres://u:sesame@a:port/name", 'the host "a:port"'],
    ["postgres://u:sesame@a,b/name?target_session_attrs=standby", "target_session_attrs=standby"],
    ["postgres:///name?host=a,b", "must have its hosts before the path"],
  ])("%s is refused with the reason, and without its password", (url, reason) => {
    expect(() => hostsOf(url)).toThrow(reason);
    expect(() => hostsOf(url)).not.toThrow("sesame");
  });
});

eachPostgresDriver((driver) => {
  describe("a primary and its standby", () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster();
    }, 60_000);
    afterAll(() => cluster.stop());
    const open = (url: string) => openStorage({ kind: "postgres", url, driver });

    test("a standby alone is refused by a sentence that names it", async () => {
      const error = (await rejection(open(cluster.urlOf([cluster.standby])))) as Error;
      expect(error.message).toContain(
        `127.0.0.1:${cluster.standby} is a standby, which takes no writes. Name the primary`,
      );
    });

    test("the primary is found wherever it stands in the list, and also beside a host that is down", async () => {
      for (const ports of [
        [cluster.standby, cluster.primary],
        [1, cluster.standby, cluster.primary],
      ]) {
        const storage = await open(`${cluster.urlOf(ports)}?target_session_attrs=read-write`);
        await storage.write((tx) => tx.first(insertSetting, { name: `via-${driver}-${ports.length}`, value: "1" }));
        await storage.close();
      }
      const error = (await rejection(open(cluster.urlOf([1, cluster.standby])))) as Error;
      expect(error.message).toMatch(/127\.0\.0\.1:1: .*; 127\.0\.0\.1:\d+ is a standby/);
    });

    test("after a failover the same process writes to the new primary, and until then says that it cannot", async () => {
      const storage: Storage = await open(cluster.urlOf([cluster.primary, cluster.standby]));
      await storage.write((tx) => tx.first(insertSetting, { name: "before", value: "1" }));
      await cluster.settled();
      await cluster.stopPrimary();
      for (let i = 0; i < 3; i++) {
        expect(await rejection(storage.probe())).toMatchObject({ code: "storage_unavailable" });
      }
      await cluster.promote();
      await eventually(() => storage.probe());
      await storage.write((tx) => tx.first(insertSetting, { name: "after", value: "1" }));
      const names = await Promise.all(["before", "after"].map((name) => storage.read.first(readSetting, { name })));
      expect(names).toEqual([{ value: "1" }, { value: "1" }]);
      await storage.close();
    }, 60_000);

    test("a primary that becomes read-only is unavailable, and works again as soon as it takes writes", async () => {
      const storage = await open(cluster.urlOf([cluster.standby]));
      await cluster.setReadOnly(true);
      expect(await rejection(storage.probe())).toMatchObject({ code: "storage_unavailable" });
      await cluster.setReadOnly(false);
      await eventually(() => storage.probe());
      await storage.close();
    });
  });
});
