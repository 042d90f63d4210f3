import type { Result } from "@belfry/client";
import type { InboxItem, RegisteredClient } from "../hooks/registered-client.ts";
import type { Texts } from "../texts/texts.ts";
import { timeAhead } from "../time/relative-time.ts";
import type { SnoozeChoice } from "../time/snooze-choices.ts";
import type { MenuEntry } from "./menu.tsx";

/** What the menu of an item is made for. */
export interface ItemEntriesInput {
  readonly item: InboxItem;
  /** The items that a change is for: those of a folded group together. */
  readonly ids: readonly string[];
  readonly client: RegisteredClient;
  readonly texts: Texts;
  readonly choices: readonly SnoozeChoice[];
  readonly now: number;
  /** Told the result of what was chosen, and what to say of it. */
  done(result: Promise<Result>, said: string): void;
}

/** The lines of an item's menu, by the item's state. */
export function itemEntries({ item, ids, client, texts, choices, now, done }: ItemEntriesInput): readonly MenuEntry[] {
  const entry = (icon: MenuEntry["icon"] & string, label: string, change: () => Promise<Result>): MenuEntry => ({
    icon,
    label,
    onSelect: () => done(change(), label),
  });
  const snooze: MenuEntry = {
    icon: "clock",
    label: texts.snooze,
    entries: choices.map(({ label, until }) => ({
      label,
      hint: timeAhead(until.getTime(), now, texts.locale),
      onSelect: () => done(client.snooze(ids, until), `${texts.snooze}: ${label}`),
    })),
  };
  const isActive = item.archivedAt === null && item.snoozedUntil === null;
  return [
    item.readAt === null
      ? entry("check", texts.markRead, () => client.markRead(ids))
      : entry("dot", texts.markUnread, () => client.markUnread(ids)),
    ...(isActive
      ? [
          item.pinnedAt === null
            ? entry("pin", texts.pin, () => client.pin(item.id))
            : entry("pin", texts.unpin, () => client.unpin(item.id)),
          snooze,
          entry("archive", texts.archive, () => client.archive(ids)),
        ]
      : []),
    ...(item.snoozedUntil === null ? [] : [entry("clock", texts.wake, () => client.wake(ids))]),
    ...(item.archivedAt === null ? [] : [entry("inbox", texts.unarchive, () => client.unarchive(ids))]),
    entry("trash", texts.remove, () => client.remove(ids)),
  ];
}
