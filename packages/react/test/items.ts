import type { InboxItem } from "../src/hooks/registered-client.ts";

/** An item with this number; everything else has a value that says nothing. */
export function item(seq: number, more: Partial<InboxItem> = {}): InboxItem {
  return {
    id: `id-${seq}`,
    seq,
    type: "comment",
    category: null,
    title: `Title ${seq}`,
    message: `Message ${seq}`,
    data: {},
    url: null,
    actions: [],
    actor: null,
    source: null,
    group: null,
    priority: "normal",
    createdAt: "2026-11-29T12:00:00.000Z",
    expiresAt: null,
    readAt: null,
    isSeen: false,
    pinnedAt: null,
    archivedAt: null,
    snoozedUntil: null,
    ...more,
  };
}
