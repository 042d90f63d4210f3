import type { Owner } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";

/** The first of the entries of each notification: one that stands twice is written once. */
export function distinctEntries(entries: readonly NewNotification[]): readonly NewNotification[] {
  const distinct = new Map<string, NewNotification>();
  for (const entry of entries) {
    const key = entryKey(entry);
    distinct.set(key, distinct.get(key) ?? entry);
  }
  return [...distinct.values()];
}

/** Names the notification of an entry. A NUL cannot be part of either text. */
export function entryKey({ notification }: NewNotification): string {
  return `${notification.tenant}\u0000${notification.id}`;
}

/** The inboxes of all recipients, each once. */
export function inboxesOf(entries: readonly NewNotification[]): readonly Owner[] {
  const inboxes = new Map<string, Owner>();
  for (const { notification, recipients } of entries) {
    for (const userId of recipients) {
      const inbox = { tenant: notification.tenant, userId };
      inboxes.set(inboxKey(inbox), inbox);
    }
  }
  return [...inboxes.values()];
}

/** The entries with no recipient among `inboxes`. */
export function entriesOutside(entries: readonly NewNotification[], inboxes: readonly Owner[]): readonly NewNotification[] {
  const keys = new Set(inboxes.map(inboxKey));
  return entries.filter((entry) => !inboxesOf([entry]).some((inbox) => keys.has(inboxKey(inbox))));
}

function inboxKey({ tenant, userId }: Owner): string {
  return `${tenant}\u0000${userId}`;
}
