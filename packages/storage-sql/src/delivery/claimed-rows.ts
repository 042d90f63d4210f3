import type { Delivery, JsonObject, Notification } from "@belfry/core";
import type { ClaimedDelivery, Completion, DeliveryKeys, SendState } from "@belfry/core/storage";
import type { Times } from "../database/fields.ts";
import { parsed, type Tables } from "../database/sql.ts";
import { type ClaimedContent, toDate } from "./rows.ts";

type Flag = boolean | number;

/** The columns of a delivery, over `d`. */
type DeliveryColumns = [
  pk: number,
  notificationPk: number,
  isOnly: Flag,
  id: string,
  tenant: string,
  channel: string,
  recipient: string,
  chain: number,
  isFallback: Flag,
  recipientKind: Delivery["recipientKind"],
  reason: Delivery["reason"],
  reasonSource: string | null,
  attempt: number,
  attemptsBefore: number,
  dueAt: number | null,
  leaseOwner: string | null,
  leaseUntil: number | null,
  fence: number,
  topic: string | null,
  hasSuppressed: Flag,
];

/** The columns of the content that deliveries of a notification share, over `n`, `t` and `s`. */
export type ContentColumns = readonly [
  id: string,
  kind: Notification["kind"],
  type: string,
  title: string,
  message: string,
  data: JsonObject | string,
  source: string | null,
  actor: string | null,
  url: string | null,
  actions: Notification["actions"] | string,
  createdAt: number,
  expiresAt: number | null,
  priority: Notification["priority"],
  rendered: number | null,
  category: string | null,
  group: string | null,
  replaceKey: string | null,
  ...progress: ProgressColumns,
];

/** Those of its progress, over `t`, and of its sender's details. */
type ProgressColumns = readonly [
  status: SendState["status"],
  attempts: number,
  fallbackUsed: Flag,
  fallbackDelayMs: number,
  inboxNeeds: SendState["inboxNeeds"],
  addresses: SendState["addresses"],
  scheduledAt: number | null,
  deliveredAt: number | null,
  failedAt: number | null,
  pending: number,
  sent: number,
  delivered: number,
  failed: number,
  cancelled: number,
  skipped: number,
  roomId: string | null,
  meta: JsonObject | string | null,
];

/** A row of a claim: a list, which costs less than an object. The columns of its content are null where it comes along with another row. */
export type ClaimedRow = [...delivery: DeliveryColumns, ...content: ContentColumns];

const DELIVERY_WIDTH = 20;

/** Whether a delivery is the only one of its notification, over `d`. */
export function isOnlyDelivery({ deliveries }: Pick<Tables, "deliveries">): string {
  return `NOT EXISTS (SELECT 1 FROM ${deliveries} o WHERE o.notification_pk = d.notification_pk AND o.pk <> d.pk)`;
}

/**
 * The columns of a {@link ClaimedRow} as SQL, in two parts: of deliveries, and of their content.
 *
 * @param isOnly whether a delivery is the only one of its notification
 */
export function claimedColumns(
  { milliseconds }: Times,
  { suppressions }: Pick<Tables, "suppressions">,
  isOnly: string,
): { readonly delivery: string; readonly content: string } {
  // A look by key for each: as a condition, PostgreSQL might read all suppressions there are.
  const hasSuppressed = `(SELECT x.place FROM ${suppressions} x WHERE x.tenant = d.tenant LIMIT 1) IS NOT NULL`;
  return {
    delivery: `d.pk, d.notification_pk, ${isOnly}, d.id, d.tenant, d.channel, d.recipient, d.chain, d.is_fallback, d.recipient_kind, d.reason,
      d.reason_source, d.attempt, d.attempts_before, ${milliseconds("d.due_at")}, d.lease_owner, ${milliseconds("d.lease_until")},
      d.fence, d.topic, ${hasSuppressed}`,
    content: `n.id, n.kind, n.type, n.title, n.message, n.data, n.source, n.sender, n.url, n.actions, ${milliseconds("n.created_at")},
      ${milliseconds("n.expires_at")}, n.priority, n.rendered, n.category, n.group_name, n.replace_key, t.status, t.attempts, t.fallback_used, t.fallback_delay_ms, t.inbox_needs, t.addresses,
      ${milliseconds("t.scheduled_at")}, ${milliseconds("t.delivered_at")}, ${milliseconds("t.failed_at")}, t.pending_chains, t.sent_chains,
      t.delivered_chains, t.failed_chains, t.cancelled_chains, t.skipped_chains, s.room_id, s.meta`,
  };
}

/**
 * The claimed deliveries that rows stand for. A delivery whose content is null has that of a row before it, else that of `others`;
 * one without any is left out.
 */
export function toClaimed(rows: readonly ClaimedRow[], others?: ReadonlyMap<number, ClaimedContent>): readonly ClaimedDelivery[] {
  const contents = new Map<number, ClaimedContent>(others);
  const claimed: ClaimedDelivery[] = [];
  for (const row of rows) {
    const notificationPk = row[1];
    let content = contents.size === 0 ? undefined : contents.get(notificationPk);
    if (content === undefined && !hasNoContent(row)) {
      content = contentOf(row[4], row.slice(DELIVERY_WIDTH) as unknown as ContentColumns);
      // Usually each delivery is the only one of its notification, and nobody shares its content.
      if (!row[2]) {
        contents.set(notificationPk, content);
      }
    }
    if (content !== undefined) {
      claimed.push(claimedOf(row, content));
    }
  }
  return claimed;
}

/** Whether the columns of a row's content are null. */
export function hasNoContent(row: readonly unknown[]): boolean {
  return row[DELIVERY_WIDTH] === null;
}

/** Puts the lease into a row that was read before it. */
export function leaseClaimed(row: ClaimedRow, { owner, until }: { readonly owner: string; readonly until: number }): void {
  row[12] += 1;
  row[15] = owner;
  row[16] = until;
  row[17] += 1;
}

function claimedOf(row: ClaimedRow, { notification, state, scheduledAt, roomId, meta }: ClaimedContent): ClaimedDelivery {
  const delivery: Delivery = {
    id: row[3],
    notificationId: notification.id,
    tenant: row[4],
    channel: row[5],
    recipient: row[6],
    chain: row[7],
    isFallback: Boolean(row[8]),
    recipientKind: row[9],
    topic: row[18],
    // Only pending deliveries are leased.
    status: "pending",
    reason: row[10],
    reasonSource: row[11],
    attempt: row[12],
    attemptsBefore: row[13],
    dueAt: toDate(row[14]),
    leaseOwner: row[15],
    leaseUntil: toDate(row[16]),
    fence: row[17],
    settledAt: null,
  };
  const keys = { pk: row[0], notificationPk: row[1] };
  return { delivery, notification, state, isOnly: Boolean(row[2]), scheduledAt, roomId, meta, hasSuppressed: Boolean(row[19]), keys };
}

/** The keys of deliveries that end, as their claims handed them out, in the order of the deliveries; undefined for what was leased without a claim. */
export function claimedKeys({ deliveries, claimed }: Completion): readonly (DeliveryKeys | undefined)[] {
  return deliveries.map(({ id }, index) => (claimed?.[index]?.delivery.id === id ? claimed[index].keys : undefined));
}

/** The content in columns, of a notification of `tenant`. They are read by their places: to take a list apart costs more. */
export function contentOf(tenant: string, columns: ContentColumns): ClaimedContent {
  const notification: Notification = {
    id: columns[0],
    tenant,
    kind: columns[1],
    type: columns[2],
    title: columns[3],
    message: columns[4],
    data: parsed(columns[5]),
    source: columns[6],
    actor: columns[7],
    createdAt: new Date(columns[10]),
    priority: columns[12],
    url: columns[8],
    actions: columns[9] === null ? null : parsed(columns[9]),
    rendered: columns[13],
    expiresAt: toDate(columns[11]),
    category: columns[14],
    group: columns[15],
    replaceKey: columns[16],
  };
  const state: SendState = {
    tenant,
    id: columns[0],
    status: columns[17],
    attempts: columns[18],
    fallbackUsed: Boolean(columns[19]),
    fallbackDelayMs: columns[20],
    inboxNeeds: columns[21],
    addresses: columns[22],
    deliveredAt: toDate(columns[24]),
    failedAt: toDate(columns[25]),
    chains: {
      pending: columns[26],
      sent: columns[27],
      delivered: columns[28],
      failed: columns[29],
      cancelled: columns[30],
      skipped: columns[31],
    },
  };
  const meta = columns[33];
  const own = meta === null ? notification.data : parsed(meta);
  return { notification, state, scheduledAt: toDate(columns[23]), roomId: columns[32], meta: own };
}
