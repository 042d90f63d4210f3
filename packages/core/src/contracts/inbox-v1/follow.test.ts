import { expect, test } from "vitest";
import type { Inbox, InboxChange } from "../../inbox/index.ts";
import { type Client, lookAgain } from "./follow.ts";

const inbox = { counts: async () => ({ total: 2, unread: 1 }) } as unknown as Inbox;

async function sentAfter(change: InboxChange, count = 3): Promise<readonly string[]> {
  const sent: string[] = [];
  const client = { sendFrame: ({ text }) => void sent.push(text) } satisfies Partial<Client> as unknown as Client;
  lookAgain(inbox, client, { change, item: null, count, seq: 9, epoch: "e" });
  await Promise.resolve();
  return sent;
}

test.each(["read_matching", "archived_matching"] satisfies InboxChange[])(
  "a client is told to list its inbox again after %s, for which the contract has no frame",
  async (change) => {
    expect(await sentAfter(change)).toEqual([JSON.stringify({ type: "inbox_state", payload: { unread: 1, total: 2, recovered: false } })]);
  },
);

test.each(["read_all", "deleted_read"] satisfies InboxChange[])(
  "it is told to list its inbox again after %s whose signal was lost: nobody knows how many items that changed",
  async (change) => {
    expect(await sentAfter(change, 0)).toEqual([
      JSON.stringify({ type: "inbox_state", payload: { unread: 1, total: 2, recovered: false } }),
    ]);
  },
);

test.each(["seen_matching", "seen_all", "pinned", "unread"] satisfies InboxChange[])("it is told nothing of %s", async (change) => {
  expect(await sentAfter(change)).toEqual([]);
});

test("it is told nothing of changes of archived and snoozed items alone", async () => {
  expect(await sentAfter("read_matching", 0)).toEqual([]);
});
