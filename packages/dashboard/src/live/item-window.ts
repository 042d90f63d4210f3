import type { InboxItem } from "@belfry/core";

/** The newest inbox items of all users at the last look. */
export class ItemWindow {
  #seen: ReadonlyMap<string, { readonly userId: string; readonly isRead: boolean }> | null = null;

  /** Whether a look reaches back to an item seen before; the first look always does. */
  meets(now: readonly InboxItem[]): boolean {
    const before = this.#seen;
    return before === null || now.some((item) => before.has(keyOf(item)));
  }

  /** Stores the newest items, and returns the users whose inboxes differ from the last look. The first look differs from nothing. */
  next(now: readonly InboxItem[]): readonly string[] {
    const before = this.#seen;
    const seen = new Map(now.map((item) => [keyOf(item), { userId: item.userId, isRead: item.readAt !== null }]));
    this.#seen = seen;
    if (before === null) {
      return [];
    }
    const differing = [...seen].filter(([key, item]) => before.get(key)?.isRead !== item.isRead);
    const oldest = now.at(-1)?.id ?? "";
    const gone = [...before].filter(([key]) => !seen.has(key) && key.slice(0, oldest.length) >= oldest);
    return [...new Set([...differing, ...gone].map(([, { userId }]) => userId))];
  }
}

/** A unique key of an item: neither part can contain a NUL. */
function keyOf({ id, userId }: InboxItem): string {
  return `${id}\u0000${userId}`;
}
