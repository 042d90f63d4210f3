import { beforeEach, expect, test } from "vitest";
import { CATCH_UP_PAGE } from "../foundation/bounds.ts";
import { systemClock } from "../foundation/clock.ts";
import type { InboxItem, InboxSignal, InboxStorage } from "../inbox/index.ts";
import type { DueFeeds } from "./due-feeds.ts";
import { InboxFeed } from "./inbox-feed.ts";

const OWNER = { tenant: "acme", userId: "ann" };
const logger = { error() {}, warn() {}, info() {}, debug() {} };

let lastSeq: number;
/** The limits of the reads, in their order. */
let limits: number[];
let told: number[];
let feed: InboxFeed;

const countsNow = () => ({ total: lastSeq, unread: 0, unseen: 0, lastSeq, epoch: "e", rev: 0 });

const inbox: Partial<InboxStorage> = {
  listAfter: async (_, seq, { limit }) => {
    limits.push(limit);
    const items = Array.from({ length: Math.min(lastSeq - seq, limit) }, (__, at) => ({ seq: seq + at + 1 }) as InboxItem);
    return { items, counts: countsNow() };
  },
};

const due: Partial<DueFeeds> = { look: async () => countsNow(), note() {} };

/** The signal of another process for the item of a number. */
const created = (seq: number): InboxSignal => ({ ...OWNER, change: "created", seq, epoch: "e", id: `n${seq}` });

const untilTold = (seqs: readonly number[]) => expect.poll(() => told, { interval: 1 }).toEqual(seqs);

beforeEach(async () => {
  lastSeq = 0;
  limits = [];
  told = [];
  feed = new InboxFeed(OWNER, {
    inbox: inbox as InboxStorage,
    due: due as DueFeeds,
    clock: systemClock,
    logger,
    ready: () => undefined,
  });
  feed.followers.add({ onEvent: ({ seq }) => void told.push(seq), onState() {}, onChangesLost() {} });
  await feed.open();
});

test("items of another process that come one by one are read one by one", async () => {
  lastSeq = 1;
  feed.signal(created(1));
  await untilTold([1]);
  lastSeq = 2;
  feed.signal(created(2));
  await untilTold([1, 2]);
  expect(limits).toEqual([1, 1]);
});

test("where more have come, the others are read by pages, and so are later ones until one comes alone", async () => {
  lastSeq = 3;
  feed.signal(created(1));
  await untilTold([1, 2, 3]);
  expect(limits.splice(0)).toEqual([1, CATCH_UP_PAGE.limit]);
  lastSeq = 4;
  feed.signal(created(4));
  await untilTold([1, 2, 3, 4]);
  expect(limits.splice(0)).toEqual([CATCH_UP_PAGE.limit]);
  lastSeq = 5;
  feed.signal(created(5));
  await untilTold([1, 2, 3, 4, 5]);
  expect(limits).toEqual([1]);
});

test("after a signal that was lost, a page is read", async () => {
  lastSeq = 2;
  feed.signal(created(2));
  await untilTold([1, 2]);
  expect(limits).toEqual([CATCH_UP_PAGE.limit]);
});
