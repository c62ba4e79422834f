import { describe, expect, test } from "bun:test";
import { openStorage } from "../../src/storage/open.ts";
import { type Param, prepared } from "../../src/storage/storage.ts";
import { watchOf, watchStatements } from "../../src/storage/watch.ts";

const insert = prepared((db, p: Param<{ name: string; value: number }>) =>
  db.insertInto("counters").values({ name: p("name"), value: p("value") }),
);
const remove = prepared((db, p: Param<{ name: string }>) => db.deleteFrom("counters").where("name", "=", p("name")));

describe("a watched statement", () => {
  test("is reported once its write is durable and readable; other statements are not reported", async () => {
    const inner = await openStorage({ kind: "memory" });
    const told: string[] = [];
    const storage = watchStatements(inner, [watchOf(insert, ({ name }) => void told.push(name))]);
    const written = await storage.write(async (tx) => {
      await tx.all(insert, { name: "a", value: 1 });
      await tx.first(insert, { name: "b", value: 1 });
      expect(told).toEqual([]);
      return "written";
    });
    expect(written).toBe("written");
    expect(told).toEqual(["a", "b"]);
    await storage.write(async (tx) => void (await tx.all(remove, { name: "a" })));
    expect(told).toEqual(["a", "b"]);
    await storage.close();
  });

  test("is not reported when its write was not kept", async () => {
    const told: string[] = [];
    const storage = watchStatements(await openStorage({ kind: "memory" }), [
      watchOf(insert, ({ name }) => void told.push(name)),
    ]);
    const failing = storage.write(async (tx) => {
      await tx.all(insert, { name: "a", value: 1 });
      throw new Error("changed my mind");
    });
    expect(failing).rejects.toThrow("changed my mind");
    await failing.catch(() => undefined);
    expect(told).toEqual([]);
    await storage.close();
  });
});
