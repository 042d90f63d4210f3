import type { NotificationService } from "@belfry/core";
import { expect } from "vitest";
import type { Item } from "../src/index.ts";
import { FILTERS, lineOf, type Shown } from "./shown.ts";

/** Checks that what a client shows is what the service says: its counts, and those and the items of its views. */
export async function expectTruth(service: NotificationService, user: string, shown: Shown): Promise<void> {
  const inbox = service.inbox(user);
  const { total, unread, unseen, filtered } = await inbox.counts({ filters: FILTERS });
  expect([shown.counts, shown.pending]).toEqual([{ total, unread, unseen }, 0]);
  for (const [index, filter] of FILTERS.entries()) {
    const { items } = await inbox.list({ ...filter, limit: 1_000 });
    const lines = items.map((item) => lineOf(JSON.parse(JSON.stringify(item)) as Item));
    const { lines: listed = [], hasMore = true, counts = null } = shown.views[index] ?? {};
    expect([filter, listed]).toEqual([filter, hasMore ? lines.slice(0, listed.length) : lines]);
    expect([filter, counts]).toEqual([filter, filtered[index]]);
  }
}
