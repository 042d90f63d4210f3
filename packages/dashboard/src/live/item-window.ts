import type { InboxItem } from "@belfry/core";

/** The newest inbox items of all users, as they were last seen. */
export class ItemWindow {
  #seen: ReadonlyMap<string, { readonly userId: string; readonly isRead: boolean }> | null = null;

  /** Whether a look reaches back to what was seen before; the first look does. */
  meets(now: readonly InboxItem[]): boolean {
    const before = this.#seen;
    return before === null || now.some((item) => before.has(keyOf(item)));
  }

  /** Takes in what is newest now, and says whose inboxes differ from the last look. The first look changes nothing. */
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

/** Names an item; neither part can contain a NUL. */
function keyOf({ id, userId }: InboxItem): string {
  return `${id}\u0000${userId}`;
}
