import { z } from "zod";
import { timestamp } from "../../http/parameters.ts";
import type { CountsOfPlace, InboxItem } from "../../inbox/index.ts";
import { isoDate, isoDateOrNull } from "../iso-date.ts";

/** An inbox item in the native contract. */
export const itemSchema = z
  .object({
    id: z.uuid(),
    seq: z.int().meta({ description: "Its number in the inbox: 1, 2, 3, … in the order of their commits" }),
    type: z.string(),
    category: z.string().nullable(),
    title: z.string(),
    message: z.string(),
    data: z.record(z.string(), z.unknown()),
    url: z.string().nullable(),
    actions: z.array(z.object({ label: z.string(), url: z.string() })).meta({ description: "The primary one first" }),
    actor: z.string().nullable(),
    source: z.string().nullable(),
    group: z.string().nullable(),
    priority: z.enum(["low", "normal", "high", "urgent"]),
    createdAt: timestamp,
    expiresAt: timestamp.nullable(),
    readAt: timestamp.nullable(),
    isSeen: z.boolean(),
    pinnedAt: timestamp.nullable(),
    archivedAt: timestamp.nullable(),
    snoozedUntil: timestamp.nullable(),
  })
  .meta({ id: "Item" });

/** The counts of an inbox, with the position of their moment. */
export const countsSchema = z
  .object({
    total: z.int().meta({ description: "Active items" }),
    unread: z.int(),
    unseen: z.int(),
    epoch: z.string().meta({ description: "The name of the numbering: another one means that the inbox is to be listed anew" }),
    lastSeq: z.int().meta({ description: "The number of the newest item" }),
    rev: z.int().meta({ description: "The number of the newest change" }),
  })
  .meta({ id: "Counts" });

type ItemJson = z.infer<typeof itemSchema>;
type CountsJson = z.infer<typeof countsSchema>;

/** Renders an inbox item. */
export function itemJson(item: InboxItem): ItemJson {
  const { id, seq, type, category, title, message, data, url, actions, actor, source, group, priority, isSeen } = item;
  return {
    ...{ id, seq, type, category, title, message, data, url, actions: [...(actions ?? [])], actor, source, group, priority },
    createdAt: isoDate(item.createdAt),
    expiresAt: isoDateOrNull(item.expiresAt),
    readAt: isoDateOrNull(item.readAt),
    isSeen,
    pinnedAt: isoDateOrNull(item.pinnedAt),
    archivedAt: isoDateOrNull(item.archivedAt),
    snoozedUntil: isoDateOrNull(item.snoozedUntil),
  };
}

/** Renders the counts of an inbox. */
export function countsJson({ total, unread, unseen, epoch, lastSeq, rev }: CountsOfPlace): CountsJson {
  return { total, unread, unseen, epoch, lastSeq, rev };
}
