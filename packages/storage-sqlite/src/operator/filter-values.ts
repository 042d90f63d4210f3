import type { ActivityFilter, NotificationKind, SendStatus } from "@belfry/core";
import { sql } from "drizzle-orm";

/** A filter as statements take it: what it leaves open is null. Times in milliseconds. */
export interface FilterValues {
  readonly tenant: string;
  readonly id: string | null;
  readonly kind: NotificationKind | null;
  readonly recipient: string | null;
  readonly type: string | null;
  readonly channel: string | null;
  readonly status: SendStatus | null;
  readonly from: number | null;
  readonly before: number | null;
}

export function filterValues(tenant: string, { id, kind, recipient, type, channel, status, from, before }: ActivityFilter): FilterValues {
  return {
    tenant,
    id: id ?? null,
    kind: kind ?? null,
    recipient: recipient ?? null,
    type: type ?? null,
    channel: channel ?? null,
    status: status ?? null,
    from: from?.getTime() ?? null,
    before: before?.getTime() ?? null,
  };
}

const value = {
  tenant: sql.placeholder("tenant"),
  id: sql.placeholder("id"),
  kind: sql.placeholder("kind"),
  recipient: sql.placeholder("recipient"),
  type: sql.placeholder("type"),
  channel: sql.placeholder("channel"),
  status: sql.placeholder("status"),
  from: sql.placeholder("from"),
  before: sql.placeholder("before"),
};

/**
 * Whether the notification `n` matches a {@link FilterValues}. What is asked of other tables is looked up by key, and
 * only where the filter says something about it.
 */
export const MATCHES = sql`
  (${value.id} is null or n.id = ${value.id})
  and (${value.kind} is null or n.kind = ${value.kind})
  and (${value.from} is null or n.created_at >= ${value.from})
  and (${value.before} is null or n.created_at < ${value.before})
  and (${value.type} is null or case n.kind when 'event' then n.source else n.type end = ${value.type})
  and (${value.status} is null or (select t.status from belfry_trackings t where t.notification_pk = n.pk) = ${value.status})
  and (${value.channel} is null or case n.kind
    when 'message' then ${value.channel} = 'inbox'
    when 'send' then (select t.channel from belfry_trackings t where t.notification_pk = n.pk) = ${value.channel}
      or exists (select 1 from belfry_sends s, json_each(s.channels) c where s.notification_pk = n.pk and c.value = ${value.channel})
      or (select d.channel from belfry_deliveries d where d.notification_pk = n.pk and d.is_fallback limit 1) = ${value.channel}
    else 0 end)
  and (${value.recipient} is null or case n.kind
    when 'event' then n.sender = ${value.recipient}
    else exists (select 1 from belfry_inbox_items i where i.notification_pk = n.pk and i.user_id = ${value.recipient})
      or exists (
        select 1 from belfry_deliveries d
        where d.tenant = n.tenant and d.recipient = ${value.recipient} and d.notification_pk = n.pk)
    end)`;
