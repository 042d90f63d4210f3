import { expect, test } from "vitest";
import type { InboxChange, InboxEvent, InboxItem } from "../../inbox/index.ts";
import { eventFrame } from "./frames.ts";

const item = { id: "1", userId: "ann", type: "note", title: "", message: "", data: {}, seq: 1, createdAt: new Date(0), readAt: null };

test.each(["archived", "snoozed"] satisfies InboxChange[])("an item that is %s looks like a deleted one", (change) => {
  const frameOf = (change: InboxChange) => {
    const event: InboxEvent = { change, item: item as unknown as InboxItem, count: 1, seq: 1, epoch: "e" };
    return eventFrame(event, { userId: "ann" });
  };
  expect(frameOf(change)).toEqual(frameOf("deleted"));
});

test.each(["read", "deleted"] satisfies InboxChange[])("an archived or snoozed item that is %s has no frame", (change) => {
  expect(eventFrame({ change, item: item as unknown as InboxItem, count: 0, seq: 1, epoch: "e" }, { userId: "ann" })).toBeNull();
});

test.each([
  "unarchived",
  "woken",
  "unread",
  "seen",
  "unseen",
  "seen_all",
  "pinned",
  "unpinned",
  "read_matching",
  "seen_matching",
  "archived_matching",
] satisfies InboxChange[])("the contract has no frame for %s", (change) => {
  expect(eventFrame({ change, item: null, count: 1, seq: 1, epoch: "e" }, { userId: "ann" })).toBeNull();
});
