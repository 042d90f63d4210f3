import { describe, expect, test } from "vitest";
import { BelfryError } from "../foundation/errors.ts";
import { GroupCommit } from "./group-commit.ts";
import type { InboxStorage } from "./inbox-storage.ts";
import type { CreatedItem, NewNotification } from "./new-items-storage.ts";

type CreateMany = InboxStorage["createMany"];

function entry(id: string, ...recipients: string[]): NewNotification {
  const notification = {
    id,
    tenant: "t",
    kind: "message" as const,
    type: "x",
    title: "",
    message: "",
    data: {},
    source: null,
    actor: null,
    url: null,
    actions: null,
    priority: "high" as const,
    rendered: null,
    category: null,
    group: null,
    replaceKey: null,
    createdAt: new Date(0),
    expiresAt: null,
  };
  return { notification, recipients };
}

function items({ recipients }: NewNotification): readonly CreatedItem[] {
  return recipients.map((userId) => ({ userId, seq: 1, epoch: "e" }));
}

/** Makes a group commit over the one storage method that it uses. */
function writer(createMany: CreateMany): GroupCommit {
  return new GroupCommit({ createMany } as InboxStorage);
}

describe("GroupCommit", () => {
  test("creates of one turn share a transaction, and each gets its own answer", async () => {
    const batches: string[][] = [];
    const commit = writer(async (entries) => {
      batches.push(entries.map(({ notification }) => notification.id));
      return entries.map(items);
    });
    const answers = await Promise.all([commit.write(entry("a", "ann")), commit.write(entry("b", "bob"))]);
    expect(batches).toEqual([["a", "b"]]);
    expect(answers.map(([item]) => item?.userId)).toEqual(["ann", "bob"]);
  });

  test("creates that arrive while a batch is written form the next one", async () => {
    const batches: string[][] = [];
    const { promise: firstWritten, resolve: finishFirst } = Promise.withResolvers<void>();
    const commit = writer(async (entries) => {
      batches.push(entries.map(({ notification }) => notification.id));
      if (batches.length === 1) {
        await firstWritten;
      }
      return entries.map(items);
    });
    const first = commit.write(entry("a", "ann"));
    await expect.poll(() => batches.length).toBe(1);
    const later = [commit.write(entry("b", "ann")), commit.write(entry("c", "ann"))];
    finishFirst();
    await Promise.all([first, ...later]);
    expect(batches).toEqual([["a"], ["b", "c"]]);
  });

  test("one bad entry fails its own caller only", async () => {
    const commit = writer(async (entries) => {
      if (entries.some(({ notification }) => notification.id === "bad")) {
        throw new BelfryError("STORAGE_FAILED", "refused");
      }
      return entries.map(items);
    });
    const results = await Promise.allSettled(["a", "bad", "c"].map((id) => commit.write(entry(id, "ann"))));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  test("a write whose reply was lost is repeated once, with the same ids", async () => {
    const seen: string[] = [];
    const commit = writer(async (entries) => {
      seen.push(...entries.map(({ notification }) => notification.id));
      if (seen.length === 1) {
        throw new BelfryError("STORAGE_UNAVAILABLE", "connection lost");
      }
      return entries.map(items);
    });
    await commit.write(entry("a", "ann"));
    expect(seen).toEqual(["a", "a"]);
  });

  test("while the database is out of reach every caller hears of it", async () => {
    const commit = writer(async () => {
      throw new BelfryError("STORAGE_UNAVAILABLE", "connection lost");
    });
    const results = await Promise.allSettled([commit.write(entry("a", "ann")), commit.write(entry("b", "bob"))]);
    expect(results.every((result) => result.status === "rejected" && result.reason.retryable)).toBe(true);
  });

  test("a batch holds at most 256 entries and 1,000 items, but a larger single entry goes through", async () => {
    const sizes: number[][] = [];
    const commit = writer(async (entries) => {
      sizes.push(entries.map(({ recipients }) => recipients.length));
      return entries.map(items);
    });
    const crowd = Array.from({ length: 1_500 }, (_, index) => `user${index}`);
    await Promise.all([
      ...Array.from({ length: 300 }, (_, index) => commit.write(entry(`n${index}`, "ann"))),
      commit.write(entry("crowd", ...crowd)),
    ]);
    expect(sizes.map((batch) => batch.length)).toEqual([256, 44, 1]);
  });

  test("a write that came while an earlier one found its inbox held does not overtake it, although the inbox is free again", async () => {
    const written: string[] = [];
    const { promise: isAsked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: isAnswered, resolve: answer } = Promise.withResolvers<void>();
    let looks = 0;
    const commit = writer(async (entries, { skipBusy = false } = {}) => {
      if (skipBusy && looks === 0) {
        looks += 1;
        ask();
        await isAnswered;
        return entries.map(() => null);
      }
      // The first one waits for a connection, say.
      await (skipBusy ? null : new Promise((resolve) => setImmediate(resolve)));
      written.push(...entries.map(({ notification }) => notification.id));
      return entries.map(items);
    });
    const first = commit.write(entry("a1", "ann"));
    await isAsked;
    const later = [entry("b1", "bob"), entry("a2", "ann")].map((one) => commit.write(one));
    answer();
    await Promise.all([first, ...later]);
    expect(written.filter((id) => id !== "b1")).toEqual(["a1", "a2"]);
  });

  test("an inbox that a host's transaction holds does not stall the others, and keeps its order", async () => {
    let held = true;
    const written: string[] = [];
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const commit = writer(async (entries, { skipBusy = false } = {}) => {
      const busy = ({ recipients }: NewNotification) => held && recipients.includes("ann");
      if (entries.some(busy) && !skipBusy) {
        await released;
      }
      return entries.map((one) => {
        if (skipBusy && busy(one)) {
          return null;
        }
        written.push(one.notification.id);
        return items(one);
      });
    });
    const waiting = ["a1", "a2"].map((id) => commit.write(entry(id, "ann")));
    await commit.write(entry("b1", "bob"));
    waiting.push(commit.write(entry("a3", "ann")));
    await commit.write(entry("b2", "bob"));
    expect(written).toEqual(["b1", "b2"]);
    held = false;
    release();
    await Promise.all(waiting);
    expect(written).toEqual(["b1", "b2", "a1", "a2", "a3"]);
  });

  test("an inbox that was busy for a moment does not wait for those that are held for long, and keeps its order", async () => {
    const heldLong = new Set(["ann", "carl", "dora"]);
    let busyLooks = 3;
    const written: string[] = [];
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const commit = writer(async (entries, { skipBusy = false } = {}) => {
      const isHeld = ({ recipients }: NewNotification) => recipients.some((user) => heldLong.has(user));
      const isBusy = entries.some(({ recipients }) => recipients.includes("bob")) && busyLooks > 0;
      busyLooks -= isBusy ? 1 : 0;
      if (entries.some(isHeld) && !skipBusy) {
        await released;
      }
      return entries.map((one) => {
        if (skipBusy && (isHeld(one) || (isBusy && one.recipients.includes("bob")))) {
          return null;
        }
        written.push(one.notification.id);
        return items(one);
      });
    });
    const waiting = [commit.write(entry("a", "ann")), commit.write(entry("c", "carl")), commit.write(entry("d", "dora"))];
    const bobs = ["b1", "b2"].map((id) => commit.write(entry(id, "bob")));
    await new Promise((resolve) => setImmediate(resolve));
    bobs.push(commit.write(entry("b3", "bob")));
    await Promise.all(bobs);
    expect(written).toEqual(["b1", "b2", "b3"]);
    heldLong.clear();
    release();
    await Promise.all(waiting);
    await commit.drain();
    expect(written.toSorted()).toEqual(["a", "b1", "b2", "b3", "c", "d"]);
  });

  test("drain waits for everything handed in", async () => {
    let written = 0;
    const commit = writer(async (entries) => {
      written += entries.length;
      return entries.map(items);
    });
    void commit.write(entry("a", "ann"));
    void commit.write(entry("b", "ann"));
    await commit.drain();
    expect(written).toBe(2);
  });
});
