import { describe, expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import { AppError } from "../../src/core/errors.ts";
import { HashQueue } from "../../src/crypto/hash-queue.ts";

const bounds = { slots: 1, maxWaiting: 6, maxWaitingPerKey: 4, clock: systemClock };

/** Work that ends when the test says so, so that only the queue decides the order. */
function gated(queue: HashQueue) {
  const order: string[] = [];
  const gates: (() => void)[] = [];
  const add = (key: string, name: string, signal?: AbortSignal) =>
    queue.run(
      key,
      () => {
        order.push(name);
        return new Promise<void>((resolve) => gates.push(resolve));
      },
      signal,
    );
  const finishAll = async () => {
    for (let gate = gates.shift(); gate; gate = gates.shift()) {
      gate();
      await Bun.sleep(0);
    }
  };
  return { order, add, finishAll };
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "done",
    (error: unknown) => (error instanceof AppError ? error.code : error),
  );
}

describe("HashQueue", () => {
  test("keys take turns, and each key keeps its own order", async () => {
    const { order, add, finishAll } = gated(new HashQueue(bounds));
    const all = ["a1", "a2", "a3", "a4", "b1", "c1", "b2"].map((name) => add(name.charAt(0), name));
    await finishAll();
    await Promise.all(all);
    expect(order).toEqual(["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
  });

  test("one key's share is limited while others still get in, and the whole queue is limited", async () => {
    const queue = new HashQueue(bounds);
    const { add, finishAll } = gated(queue);
    const admitted = ["1", "2", "3", "4", "5"].map((name) => add("flood", name));
    const shed = add("flood", "6");
    expect(await codeOf(shed)).toBe("overloaded");
    admitted.push(add("x", "x"), add("y", "y"));
    const full = add("z", "z");
    expect(await codeOf(full)).toBe("overloaded");
    await full.catch((error: AppError) => expect(error.retryAfter).toBeGreaterThanOrEqual(1));
    expect(queue.stats).toMatchObject({ waiting: 6, running: 1, shed: 2, done: 0 });
    expect(queue.stats.estimatedWait).toBeGreaterThan(0);
    await finishAll();
    await Promise.all(admitted);
    expect(queue.stats).toMatchObject({ waiting: 0, running: 0, shed: 2, done: 7, estimatedWait: 0 });
  });

  test("runs at most its slots at once, and failed work frees its slot", async () => {
    const queue = new HashQueue({ ...bounds, slots: 2, maxWaiting: 50, maxWaitingPerKey: 50 });
    let most = 0;
    const work = async () => {
      most = Math.max(most, queue.stats.running);
      await Bun.sleep(0);
      throw new Error("failed");
    };
    const all = Array.from({ length: 20 }, () => codeOf(queue.run("a", work)));
    await Promise.all(all);
    expect(most).toBe(2);
    expect(queue.stats).toMatchObject({ waiting: 0, running: 0, done: 20 });
  });

  test("work that leaves while it waits never runs, and makes room", async () => {
    const queue = new HashQueue({ ...bounds, maxWaiting: 1 });
    const { order, add, finishAll } = gated(queue);
    const controller = new AbortController();
    const first = add("a", "first");
    const left = codeOf(add("b", "left", controller.signal));
    controller.abort("gone");
    expect(await left).toBe("gone");
    expect(queue.stats.waiting).toBe(0);
    const next = add("c", "next");
    await finishAll();
    await Promise.all([first, next]);
    expect(order).toEqual(["first", "next"]);
    expect(await codeOf(queue.run("d", async () => 1, AbortSignal.abort("before")))).toBe("before");
  });

  test("work that throws at once is rejected and frees its slot", async () => {
    const queue = new HashQueue(bounds);
    const broken = () => {
      throw new Error("at once");
    };
    expect(await codeOf(queue.run("a", broken))).toBeInstanceOf(Error);
    expect(queue.stats).toMatchObject({ running: 0, done: 1 });
  });
});
