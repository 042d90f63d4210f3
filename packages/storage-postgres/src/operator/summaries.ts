import type { ActivityContent, ActivitySummary, JsonObject, NotificationKind, SendStatus } from "@belfry/core";
import type { ActivityItems } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type JsonRow, milliseconds, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { contentOf, type ItemRow, isRead, itemColumns, readTime, toItem } from "../inbox/item-row.ts";

/** Reads the first items of a notification, by user, and counts all of them. */
export function prepareItemsOf(tables: TableNames) {
  const { notifications, inboxItems, inboxCounters } = tables;
  const time = readTime(tables, { tenant: "$1", userId: "i.user_id", state: "c" });
  const notification = `(SELECT pk, ${contentOf()} FROM ${notifications} WHERE tenant = $1 AND id = $2 OFFSET 0) n`;
  const list = statement<readonly [userId: string, ...ItemRow]>(
    "activity_items",
    `SELECT i.user_id, ${itemColumns(time)} FROM ${notification}
    CROSS JOIN LATERAL (SELECT * FROM ${inboxItems} WHERE notification_pk = n.pk AND deleted_at IS NULL ORDER BY user_id LIMIT $3) i
    CROSS JOIN LATERAL (SELECT read_up_to_seq, read_rev FROM ${inboxCounters} WHERE tenant = $1 AND user_id = i.user_id OFFSET 0) c
    ORDER BY i.user_id`,
  );
  const count = statement<readonly [total: number, read: number]>(
    "count_activity_items",
    `SELECT count(*), count(*) FILTER (WHERE i.read_at IS NOT NULL OR EXISTS (
      SELECT FROM ${inboxCounters} c WHERE c.tenant = $1 AND c.user_id = i.user_id AND ${isRead("c")}))
    FROM ${notification} CROSS JOIN LATERAL (
      SELECT user_id, seq, read_at, unread_rev FROM ${inboxItems} WHERE notification_pk = n.pk AND deleted_at IS NULL OFFSET 0) i`,
  );
  return (tenant: string, id: string, limit: number) =>
    async (session: Session): Promise<ActivityItems> => {
      const [rows, [[total, read] = [0, 0]]] = await Promise.all([
        session.rows(list, [tenant, id, limit]),
        session.rows(count, [tenant, id]),
      ]);
      return { items: rows.map(([userId, ...row]) => toItem(row, { tenant, userId })), total, read };
    };
}

const EXCERPT_LENGTH = 200;
const MAX_COUNTED_RECIPIENTS = 1_000;

/** One line of a search. Times in milliseconds. */
export interface SummaryRow {
  readonly id: string;
  readonly kind: NotificationKind;
  readonly type: string;
  readonly title: string;
  readonly excerpt: string;
  readonly created_at: number;
  /** Of a send; null for what is none. */
  readonly status: SendStatus | null;
  readonly channels: readonly string[] | null;
  readonly fallback_channel: string | null;
  /** The first three, null where there are fewer. */
  readonly recipients: readonly (string | null)[];
  readonly recipient_count: number;
}

interface ContentRow extends SummaryRow {
  readonly message: string;
  readonly data: JsonObject;
  readonly source: string | null;
  readonly sender: string | null;
}

/** Joins the notification `n` of the key `pk`, and its send `s` if it is one. By a fence: each is looked up by key. */
export function joinSummary({ notifications, trackings, sends }: TableNames, pk: string): string {
  return `CROSS JOIN LATERAL (SELECT * FROM ${notifications} WHERE pk = ${pk} OFFSET 0) n
    LEFT JOIN LATERAL (SELECT * FROM ${trackings} WHERE notification_pk = ${pk} OFFSET 0) t ON true
    LEFT JOIN LATERAL (SELECT * FROM ${sends} WHERE notification_pk = ${pk} OFFSET 0) s ON true`;
}

/** The columns of a {@link SummaryRow}, over what {@link joinSummary} joins. */
export function summaryColumns({ inboxItems, deliveries }: TableNames): string {
  return `n.id, n.kind, CASE n.kind WHEN 'event' THEN coalesce(n.source, '') ELSE n.type END AS type, n.title,
    left(n.message, ${EXCERPT_LENGTH}) AS excerpt, ${milliseconds("n.created_at")} AS created_at, t.status,
    coalesce(s.channels, CASE WHEN t.channel IS NOT NULL THEN json_build_array(t.channel) END) AS channels,
    CASE WHEN s.has_fallback THEN (SELECT d.channel FROM ${deliveries} d WHERE d.notification_pk = n.pk AND d.is_fallback LIMIT 1) END
      AS fallback_channel,
    CASE WHEN s.notification_pk IS NOT NULL THEN to_json(ARRAY[s.recipients ->> 0, s.recipients ->> 1, s.recipients ->> 2])
      ELSE to_json(ARRAY(SELECT i.user_id FROM ${inboxItems} i WHERE i.notification_pk = n.pk ORDER BY i.user_id LIMIT 3)) END AS recipients,
    CASE WHEN s.notification_pk IS NOT NULL THEN json_array_length(s.recipients)
      ELSE (SELECT count(*) FROM (SELECT FROM ${inboxItems} i WHERE i.notification_pk = n.pk LIMIT ${MAX_COUNTED_RECIPIENTS}) i) END
      AS recipient_count`;
}

export function toSummary(row: SummaryRow): ActivitySummary {
  const { id, kind, type, title, excerpt, status, channels, fallback_channel: fallback } = row;
  const own = kind === "message" ? ["inbox"] : (channels ?? []);
  return {
    id,
    kind,
    type,
    title,
    excerpt,
    recipients: row.recipients.filter((recipient) => recipient !== null),
    recipientCount: row.recipient_count,
    channels: fallback === null || own.includes(fallback) ? own : [...own, fallback],
    status,
    createdAt: new Date(row.created_at),
  };
}

/** Reads a notification whole. */
export function prepareFindActivity(tables: TableNames) {
  const find = statement<JsonRow<ContentRow>>(
    "find_activity",
    `SELECT to_json(r) FROM (
      SELECT n.message, n.data, n.source, n.sender, ${summaryColumns(tables)}
      FROM (SELECT pk FROM ${tables.notifications} WHERE tenant = $1 AND id = $2 OFFSET 0) p ${joinSummary(tables, "p.pk")}) r`,
  );
  return (tenant: string, id: string) =>
    async (session: Session): Promise<ActivityContent | null> => {
      const [[row] = []] = await session.rows(find, [tenant, id]);
      if (row === undefined) {
        return null;
      }
      const { message, data, source, sender } = row;
      return { summary: toSummary(row), message, data, source, sender };
    };
}
