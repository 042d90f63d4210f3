import { beforeEach, describe, expect, test } from "vitest";
import type { InboxEvent, InboxItem, InboxListener, InboxPosition, InboxStorage } from "../inbox/index.ts";
import { Slots } from "../work/timing.ts";
import { Subscription } from "./subscription.ts";

const logger = { error() {}, warn() {}, info() {}, debug() {} };
const OWNER = { tenant: "acme", userId: "ann" };

describe("the modes of a subscription", () => {
  let told: string[];
  let lastSeq: number;
  let letRead: () => void;
  let subscription: Subscription;

  const event = (seq: number, change: InboxEvent["change"] = "created"): InboxEvent => ({ change, item: null, count: 1, seq, epoch: "e" });
  /** An inbox with the items 1 to `lastSeq`, the reading of which waits for the test. */
  const inbox: Partial<InboxStorage> = {
    counts: async () => ({ total: lastSeq, unread: 0, unseen: 0, lastSeq, epoch: "e", rev: 0 }),
    listAfter: async (_, seq) => {
      const counts = { total: lastSeq, unread: 0, unseen: 0, lastSeq, epoch: "e", rev: 0 };
      const items = Array.from({ length: lastSeq - seq }, (__, at) => ({ seq: seq + at + 1 }) as InboxItem);
      await new Promise<void>((resolve) => {
        letRead = resolve;
      });
      return { items, counts };
    },
  };
  const reading = async () => {
    const before = letRead;
    await expect.poll(() => letRead !== before, { interval: 1 }).toBe(true);
  };

  beforeEach(() => {
    told = [];
    lastSeq = 3;
    letRead = () => {};
    const position: InboxPosition = { seq: 3, epoch: "e" };
    const listener: InboxListener = {
      onEvent: ({ change, seq }) => void told.push(`${change} ${seq}`),
      onState: (recovered, { seq }) => void told.push(`state ${recovered} ${seq}`),
    };
    subscription = new Subscription(
      { owner: OWNER, position },
      { inbox: inbox as InboxStorage, pages: new Slots(1), logger, tracing: null },
      listener,
    );
  });

  test("holding: what the feed tells waits for the start, and is told once it is live", async () => {
    subscription.onEvent(event(4));
    subscription.onState(true);
    expect([subscription.mode, told]).toEqual(["holding", []]);
    await subscription.start(undefined);
    expect([subscription.mode, told]).toEqual(["live", ["created 4", "state true 4"]]);
  });

  test("replaying: new items are read, other changes wait, and nothing comes twice", async () => {
    const starting = subscription.start({ seq: 1, epoch: "e" });
    await reading();
    expect(subscription.mode).toBe("replaying");
    subscription.onEvent(event(4));
    subscription.onEvent(event(2, "read"));
    lastSeq = 4;
    letRead();
    await reading();
    expect([subscription.mode, told]).toEqual(["replaying", ["created 2", "created 3"]]);
    letRead();
    await starting;
    expect([subscription.mode, told.slice(2)]).toEqual(["live", ["created 4", "read 2", "state true 4"]]);
    subscription.onEvent(event(4));
    expect(told).toHaveLength(5);
  });

  test("a listener that takes a replay too slowly is not told of more than a thousand changes: it has to list the inbox again", async () => {
    const starting = subscription.start({ seq: 1, epoch: "e" });
    await reading();
    for (let change = 0; change < 1_500; change += 1) {
      subscription.onEvent(event(2, change % 2 === 0 ? "read" : "unread"));
    }
    letRead();
    await starting;
    expect(told.length).toBeLessThanOrEqual(1_003);
    expect([subscription.mode, told.at(-2), told.at(-1)]).toEqual(["live", "unread 2", "state false 3"]);
  });

  test("a position that cannot be replayed leads from holding to live, and says so", async () => {
    await subscription.start({ seq: 9, epoch: "e" });
    expect([subscription.mode, told]).toEqual(["live", ["state false 3"]]);
  });

  test("live: what the feed tells is passed on at once", async () => {
    await subscription.start(undefined);
    subscription.onEvent(event(4));
    expect(told).toEqual(["created 4"]);
  });

  test("live: who resumed without changes has to look again, too, once some of them cannot be told", async () => {
    await subscription.start(undefined);
    subscription.onChangesLost();
    expect(told).toEqual(["state false 3"]);
  });

  test("counts that lack what a replay has told are left out, others are passed on", async () => {
    const counts = { total: 3, unread: 0, unseen: 0, lastSeq: 3, epoch: "e", rev: 5 };
    const passed: InboxEvent["counts"][] = [];
    const replayed: Partial<InboxStorage> = { counts: async () => counts, changesAfter: async () => ({ changes: [], counts }) };
    const listener: InboxListener = { onEvent: (one) => void passed.push(one.counts), onState: () => {} };
    const parts = { inbox: replayed as InboxStorage, pages: new Slots(1), logger, tracing: null };
    subscription = new Subscription({ owner: OWNER, position: { seq: 2, epoch: "e", rev: 4 } }, parts, listener);
    await subscription.start({ seq: 3, epoch: "e", rev: 5 });
    subscription.onEvent({ ...event(4), counts: { ...counts, lastSeq: 4, rev: 4 } });
    subscription.onEvent({ ...event(1, "read"), rev: 6, counts: { ...counts, lastSeq: 3, rev: 6 } });
    subscription.onEvent({ ...event(2, "read"), rev: 7, counts: { ...counts, lastSeq: 4, rev: 7 } });
    expect(passed.map((one) => one?.rev)).toEqual([undefined, undefined, 7]);
  });

  test("a change of another epoch is told, however low its number", async () => {
    const counts = { total: 3, unread: 0, unseen: 0, lastSeq: 3, epoch: "e", rev: 5 };
    const old: Partial<InboxStorage> = { counts: async () => counts, changesAfter: async () => ({ changes: [], counts }) };
    const listener: InboxListener = { onEvent: ({ change, rev }) => void told.push(`${change} ${rev}`), onState: () => {} };
    const parts = { inbox: old as InboxStorage, pages: new Slots(1), logger, tracing: null };
    subscription = new Subscription({ owner: OWNER, position: { seq: 3, epoch: "e", rev: 5 } }, parts, listener);
    await subscription.start({ seq: 3, epoch: "e", rev: 5 });
    subscription.onEvent({ ...event(1, "read"), rev: 5 });
    subscription.onEvent({ ...event(1), epoch: "f" });
    subscription.onEvent({ ...event(1, "read"), epoch: "f", rev: 1 });
    expect(told).toEqual(["created undefined", "read 1"]);
  });

  test.each(["holding", "replaying", "live"] as const)("closed while %s: nothing is told any more", async (mode) => {
    const starting = mode === "holding" ? null : subscription.start(mode === "live" ? undefined : { seq: 1, epoch: "e" });
    await (mode === "replaying" ? reading() : starting);
    expect(subscription.mode).toBe(mode);
    subscription.onEvent(event(2, "read"));
    const before = told.length;
    subscription.close();
    letRead();
    await (starting ?? subscription.start(undefined));
    subscription.onEvent(event(5));
    subscription.onState(true);
    expect([subscription.mode, told.length]).toEqual(["closed", before]);
  });
});
