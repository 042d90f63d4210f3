import { expect, test } from "vitest";
import type { InboxChange, InboxEvent, InboxItem } from "../../inbox/index.ts";
import { eventFrame } from "./frames.ts";

const item = { id: "1", userId: "ann", type: "note", title: "", message: "", data: {}, seq: 1, createdAt: new Date(0), readAt: null };

test("archiving an item looks like deleting it", () => {
  const frameOf = (change: InboxChange) => {
    const event: InboxEvent = { change, item: item as unknown as InboxItem, count: 1, seq: 1, epoch: "e" };
    return eventFrame(event, { userId: "ann" });
  };
  expect(frameOf("archived")).toEqual(frameOf("deleted"));
});

test.each(["unarchived", "unread", "seen", "unseen", "seen_all", "pinned", "unpinned"] satisfies InboxChange[])(
  "the contract has no frame for %s",
  (change) => {
    expect(eventFrame({ change, item: null, count: 1, seq: 1, epoch: "e" }, { userId: "ann" })).toBeNull();
  },
);
