import type { InboxItem } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { get } from "../state/api.ts";
import type { Page } from "../state/pages.ts";

/** An inbox item as the API tells it. */
export type Item = Json<InboxItem>;

/** Which items to show. */
export type ItemStatus = "all" | "unread" | "read";

/** What the inbox shows: the first items, and how many are unread. */
export interface Shown extends Page<Item> {
  readonly unread: number;
  /** How many items there are; null where only the newest of all users are known. */
  readonly total: number | null;
}

/** How many of the newest items of all users are looked at. */
export const NEWEST = 100;

/** Loads a user's items and counts, or the newest items of all users where the user id is empty. */
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

/** Names an item: one notification may be in many inboxes. */
export function itemKey({ id, userId }: Item): string {
  return `${id} ${userId}`;
}
