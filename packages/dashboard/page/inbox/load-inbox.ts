import type { InboxItem } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { get } from "../state/api.ts";
import type { Page } from "../state/pages.ts";

/** An inbox item as the API returns it. */
export type Item = Json<InboxItem>;

/** Which items to show. */
export type ItemStatus = "all" | "unread" | "read";

/** The contents of the inbox view: the first items, and how many are unread. */
export interface Shown extends Page<Item> {
  readonly unread: number;
  /** How many items there are; null for all users, where only the newest are known. */
  readonly total: number | null;
}

/** How many of the newest items of all users the view loads. */
export const NEWEST = 100;

/** Loads a user's items and counts, or the newest items of all users if the user id is empty. */
export async function loadInbox(userId: string, status: ItemStatus, signal: AbortSignal): Promise<Shown> {
  if (userId === "") {
    const newest = await get<Page<Item> & { readonly unread: number }>("items", { status, limit: NEWEST }, signal);
    return { ...newest, total: null };
  }
  const [page, counts] = await Promise.all([get<Page<Item>>("items", { user_id: userId, status }, signal), loadCounts(userId, signal)]);
  return { ...page, ...counts };
}

/** A user's counts: one row, however large the inbox. */
export function loadCounts(userId: string, signal?: AbortSignal): Promise<{ readonly total: number; readonly unread: number }> {
  return get("counts", { user_id: userId }, signal);
}

/** A unique key of an item: one notification may be in many inboxes. */
export function itemKey({ id, userId }: Item): string {
  return `${id} ${userId}`;
}
