import type { InboxItem, Notification } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { at, type Fixture } from "../fixture.ts";
import type { Full } from "../full.ts";

/** A notification of the test's tenant with no field at its default. */
export function fullNotification(fixture: Fixture): Full<Notification> {
  const { id, tenant, createdAt } = fixture.entry([]).notification;
  return {
    id,
    tenant,
    kind: "event",
    type: "full type",
    title: "Full title",
    message: "Full message",
    data: { full: ["data", 1.5, null, { deep: true }] },
    source: "full source",
    actor: "full actor",
    url: "/full",
    actions: [{ label: "Full", url: "https://full.example/" }],
    createdAt,
    expiresAt: at(9_000_000),
    priority: "high",
    rendered: 5,
    category: "full category",
    group: "full group",
    replaceKey: "full key",
  };
}

/** The same for two users. */
export function fullEntry(fixture: Fixture) {
  return { notification: fullNotification(fixture), recipients: ["ann", "bob"] } satisfies Full<Omit<NewNotification, "audience">>;
}

/** {@link fullNotification} as the first item of `user`'s inbox, after it was read, pinned, archived and, as no item can be, snoozed. */
export function fullItem(notification: Full<Notification>, userId: string): Full<InboxItem> {
  return { ...notification, userId, seq: 1, readAt: at(77), isSeen: true, pinnedAt: at(78), archivedAt: at(79), snoozedUntil: at(80) };
}
