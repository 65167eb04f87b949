import { describe, expect, test } from "vitest";
import { AsyncQueue } from "../../src/lib/async-queue.ts";
import { Broadcast } from "../../src/lib/broadcast.ts";

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

describe("a queue", () => {
  test("gives every value in order, then its end", async () => {
    const queue = new AsyncQueue<number>();
    for (let i = 0; i < 5000; i += 1) queue.push(i);
    queue.end();
    queue.push(-1);
    expect(await all(queue)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  });

  test("wakes a reader that waits", async () => {
    const queue = new AsyncQueue<string>();
    const next = queue.next();
    queue.push("a");
    expect(await next).toEqual({ value: "a", done: false });
  });

  test("fails behind the values that came before", async () => {
    const queue = new AsyncQueue<string>();
    queue.push("a");
    queue.fail(new Error("broken"));
    expect(await queue.next()).toEqual({ value: "a", done: false });
    await expect(queue.next()).rejects.toThrow("broken");
  });

  test("says when its reader has caught up", async () => {
    const queue = new AsyncQueue<number>();
    for (let i = 0; i < 10; i += 1) queue.push(i);
    expect(queue.whenBelow(10)).toBeUndefined();
    let hasCaughtUp = false;
    const caughtUp = queue.whenBelow(4)?.then(() => {
      hasCaughtUp = true;
    });
    for (let i = 0; i < 7; i += 1) await queue.next();
    expect(hasCaughtUp).toBe(false);
    await queue.next();
    await caughtUp;
    expect(hasCaughtUp).toBe(true);
  });
});

describe("a broadcast", () => {
  test("gives each reader everything from its subscription on", async () => {
    const events = new Broadcast<number>();
    const early = events.subscribe();
    events.publish(1);
    const late = events.subscribe();
    events.publish(2);
    events.close();
    expect(await all(early)).toEqual([1, 2]);
    expect(await all(late)).toEqual([2]);
    expect(await all(events.subscribe())).toEqual([]);
  });

  test("a reader that left gets nothing and holds nothing", async () => {
    const events = new Broadcast<number>();
    const reader = events.subscribe({ isPacing: true });
    for (let i = 0; i < 100; i += 1) events.publish(i);
    expect(events.pressure(10)).toBeInstanceOf(Promise);
    await reader.return?.();
    expect(events.pressure(10)).toBeUndefined();
    events.publish(100);
    expect(await reader.next()).toEqual({ value: undefined, done: true });
  });

  test("only a pacing reader makes anybody wait, and lets go when it leaves", async () => {
    const events = new Broadcast<number>();
    events.subscribe();
    for (let i = 0; i < 100; i += 1) events.publish(i);
    expect(events.pressure(10)).toBeUndefined();
    const pacing = events.subscribe({ isPacing: true });
    for (let i = 0; i < 100; i += 1) events.publish(i);
    const pressure = events.pressure(10);
    await pacing.return?.();
    await pressure;
  });
});
