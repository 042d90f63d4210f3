import type { ActivityContent, ActivitySummary, JsonObject, NotificationKind, SendStatus } from "@belfry/core";
import { type SQL, sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { joinValue } from "../inbox/conditions.ts";

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
  substr(n.message, 1, ${sql.raw(String(EXCERPT_LENGTH))}), n.created_at, s.status,
  json_extract(s.recipients, '$[0]', '$[1]', '$[2]'), json_array_length(s.recipients), s.channels,
  case when s.has_fallback then (select d.channel from belfry_deliveries d where d.notification_pk = n.pk and d.is_fallback limit 1) end`;

const WITH_SEND = sql`belfry_notifications n left join belfry_sends s on s.notification_pk = n.pk`;

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
