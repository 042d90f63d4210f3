import type { ActivityContent, ActivitySummary, InboxItem, JsonObject, NotificationKind, SendStatus } from "@belfry/core";
import { type SQL, sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { IS_READ_BESIDE_COUNTERS, joinValue } from "../inbox/conditions.ts";
import { ITEM_COLUMNS, type ItemRow, prepareReadTimes, toItem } from "../inbox/item-row.ts";
import { inboxCounters, inboxItems, notifications } from "../schema.ts";

type OwnedItemRow = readonly [userId: string, readUpToSeq: number, ...item: ItemRow];

/** A notification, by its id. */
export interface NotificationName {
  readonly tenant: string;
  readonly id: string;
}

/** How many items a part of a notification's inboxes has. */
export interface ItemCounts {
  readonly total: number;
  readonly read: number;
  /** The last user that was looked at; null at the end. */
  readonly lastUser: string | null;
}

const OF_NOTIFICATION = sql`${notifications}
  cross join ${inboxItems} on ${inboxItems.notificationPk} = ${notifications.pk}
  cross join ${inboxCounters} on ${inboxCounters.tenant} = ${inboxItems.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
  where ${notifications.tenant} = ${joinValue("tenant")} and ${notifications.id} = ${joinValue("id")}`;

/** Reads the first items of a notification, by user. */
export function prepareItemsOf(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const list = context.prepareRows<NotificationName & { readonly limit: number }, OwnedItemRow>(sql`
    select ${inboxItems.userId}, ${inboxCounters.readUpToSeq}, ${ITEM_COLUMNS} from ${OF_NOTIFICATION} and ${inboxItems.deletedAt} is null
    order by ${inboxItems.userId} limit ${sql.placeholder("limit")}`);
  return (tenant: string, id: string, limit: number): readonly InboxItem[] =>
    list.all({ tenant, id, limit }).map(([userId, readUpToSeq, ...row]) => {
      const owner = { tenant, userId };
      return toItem(row, owner, readTimes(owner, { readUpToSeq }));
    });
}

/** Counts up to `limit` items of the users after `after`. */
export function prepareCountItems({ prepareRows }: QueryContext) {
  type CountRow = readonly [looked: number, total: number | null, read: number | null, lastUser: string | null];
  const count = prepareRows<NotificationName & { readonly after: string; readonly limit: number }, CountRow>(sql`
    select count(*), sum(is_there), sum(is_there and is_read), max(user_id) from (
      select ${inboxItems.userId} as user_id, ${inboxItems.deletedAt} is null as is_there,
        ${IS_READ_BESIDE_COUNTERS} as is_read
      from ${OF_NOTIFICATION} and ${inboxItems.userId} > ${joinValue("after")} order by ${inboxItems.userId} limit ${sql.placeholder("limit")})`);
  return (name: NotificationName, after: string, limit: number): ItemCounts => {
    const [looked, total, read, lastUser] = count.get({ ...name, after, limit }) ?? [0, 0, 0, null];
    return { total: total ?? 0, read: read ?? 0, lastUser: looked < limit ? null : lastUser };
  };
}

const EXCERPT_LENGTH = 200;
const SHOWN_RECIPIENTS = 3;
const MAX_COUNTED_RECIPIENTS = 1_000;

type SummaryRow = readonly [
  pk: number,
  id: string,
  kind: NotificationKind,
  type: string,
  title: string,
  excerpt: string,
  createdAt: number,
  status: SendStatus | null,
  /** A list of the first three in JSON, with null where there are fewer. Of a send, as is what follows; else null. */
  recipients: string | null,
  recipientCount: number | null,
  channels: string | null,
  fallbackChannel: string | null,
];

type ContentRow = readonly [message: string, data: string, source: string | null, sender: string | null, ...SummaryRow];

const SUMMARY_COLUMNS = sql`n.pk, n.id, n.kind, case n.kind when 'event' then coalesce(n.source, '') else n.type end, n.title,
  substr(n.message, 1, ${sql.raw(String(EXCERPT_LENGTH))}), n.created_at, t.status,
  json_extract(s.recipients, '$[0]', '$[1]', '$[2]'), json_array_length(s.recipients),
  coalesce(s.channels, case when t.channel is not null then json_array(t.channel) end),
  case when s.has_fallback then (select d.channel from belfry_deliveries d where d.notification_pk = n.pk and d.is_fallback limit 1) end`;

const WITH_SEND = sql`belfry_notifications n left join belfry_trackings t on t.notification_pk = n.pk
  left join belfry_sends s on s.notification_pk = n.pk`;

/** Reads one line of a search; null for a notification that was deleted since it was found. */
export function prepareSummary(context: QueryContext) {
  const complete = prepareComplete(context);
  const read = context.prepareRows<{ readonly pk: number }, SummaryRow>(
    sql`select ${SUMMARY_COLUMNS} from ${WITH_SEND} where n.pk = ${joinValue("pk")}`,
  );
  return (pk: number): ActivitySummary | null => {
    const row = read.get({ pk });
    return row === undefined ? null : complete(row);
  };
}

/** Reads a notification whole. */
export function prepareFindActivity(context: QueryContext) {
  const complete = prepareComplete(context);
  const find = context.prepareRows<{ readonly tenant: string; readonly id: string }, ContentRow>(sql`
    select n.message, n.data, n.source, n.sender, ${SUMMARY_COLUMNS} from ${WITH_SEND}
    where n.tenant = ${joinValue("tenant")} and n.id = ${joinValue("id")}`);
  return (tenant: string, id: string): ActivityContent | null => {
    const found = find.get({ tenant, id });
    if (found === undefined) {
      return null;
    }
    const [message, data, source, sender, ...row] = found;
    return { summary: complete(row), message, data: JSON.parse(data) as JsonObject, source, sender };
  };
}

/** Makes a summary of a row, with the recipients of a message. */
function prepareComplete({ prepareRows }: QueryContext) {
  const users = (columns: SQL, order: SQL) =>
    prepareRows<{ readonly pk: number; readonly limit: number }, readonly [string | number]>(sql`
      select ${columns} from (
        select user_id from belfry_inbox_items where notification_pk = ${joinValue("pk")} ${order} limit ${sql.placeholder("limit")})`);
  const first = users(sql`user_id`, sql`order by user_id`);
  const count = users(sql`count(*)`, sql``);
  return ([
    pk,
    id,
    kind,
    type,
    title,
    excerpt,
    createdAt,
    status,
    recipients,
    recipientCount,
    channels,
    fallback,
  ]: SummaryRow): ActivitySummary => {
    const firstOfSend = recipients === null ? null : (JSON.parse(recipients) as readonly (string | null)[]);
    const named = channels === null ? [] : (JSON.parse(channels) as readonly string[]);
    const own = kind === "message" ? ["inbox"] : named;
    return {
      id,
      kind,
      type,
      title,
      excerpt,
      recipients:
        firstOfSend?.filter((recipient) => recipient !== null) ?? first.all({ pk, limit: SHOWN_RECIPIENTS }).map(([user]) => String(user)),
      recipientCount: recipientCount ?? Number(count.get({ pk, limit: MAX_COUNTED_RECIPIENTS })?.[0] ?? 0),
      channels: fallback === null || own.includes(fallback) ? own : [...own, fallback],
      status,
      createdAt: new Date(createdAt),
    };
  };
}
