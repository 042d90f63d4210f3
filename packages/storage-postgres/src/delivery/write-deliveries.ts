import type { NewSend } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { lists, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Whether a delivery waits for a digest. */
export const isEntry = ({ digest }: NewSend["deliveries"][number]) => digest !== null;

/** Joins the notification `n` of a row, by the alias of the table with its `tenant` and `notification_id`. */
export type JoinNotification = (of: string) => string;

/** What is written of a delivery: its members, the names in SQL, and the types. */
export const DELIVERY_MEMBERS = [
  ["id", "id", "uuid"],
  ["tenant", "tenant", "text"],
  ["notificationId", "notification_id", "uuid"],
  ["channel", "channel", "text"],
  ["recipient", "recipient", "text"],
  ["chain", "chain", "int"],
  ["isFallback", "is_fallback", "boolean"],
  ["status", "status", "text"],
  ["dueInMs", "due_in_ms", "bigint"],
  ["scheduledAt", "scheduled_at", "timestamptz"],
  ["recipientKind", "recipient_kind", "text"],
  ["reason", "reason", "text"],
  ["reasonSource", "reason_source", "text"],
  ["topic", "topic", "text"],
  ["leaseOwner", "lease_owner", "text"],
  ["leaseMs", "lease_ms", "bigint"],
] as const;

/** The lists of {@link DELIVERY_MEMBERS} of the deliveries of sends. */
export function deliveryValues(sends: readonly NewSend[]): readonly unknown[] {
  const all = sends.flatMap(({ notification: { tenant, id }, scheduledAt, deliveries }) =>
    deliveries.map((delivery) => {
      // One that waits for a digest is not due by itself.
      const dueInMs = isEntry(delivery) ? null : delivery.dueInMs;
      const { owner: leaseOwner = null, leaseMs = null } = delivery.lease ?? {};
      return { ...delivery, dueInMs, tenant, notificationId: id, scheduledAt: scheduledAt?.toISOString() ?? null, leaseOwner, leaseMs };
    }),
  );
  return lists(all, ...DELIVERY_MEMBERS.map(([key]) => key));
}

/** An insert of deliveries: the lists of {@link DELIVERY_MEMBERS} from parameter number `first` on, and then the time. */
export function insertDeliveries(tables: TableNames, join: JoinNotification, first: number): string {
  const columns = DELIVERY_MEMBERS.map(([, column]) => column).join(", ");
  const values = DELIVERY_MEMBERS.map(([, , type], index) => `$${first + index}::${type}[]`).join(", ");
  const now = timeOf(`$${first + DELIVERY_MEMBERS.length}`);
  return `INSERT INTO ${tables.deliveries} (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt, attempts_before, due_at, fence, recipient_kind,
      reason, reason_source, topic, settled_at, lease_owner, lease_until)
    SELECT e.id, n.pk, n.tenant, e.channel, e.recipient, e.chain, e.is_fallback, e.status, (e.lease_owner IS NOT NULL)::int, 0,
      coalesce(e.scheduled_at, ${now}) + e.due_in_ms * interval '1 millisecond', (e.lease_owner IS NOT NULL)::int, e.recipient_kind,
      e.reason, e.reason_source, e.topic, CASE WHEN e.status = 'skipped' THEN ${now} END, e.lease_owner,
      ${now} + e.lease_ms * interval '1 millisecond'
    FROM unnest(${values}) WITH ORDINALITY AS e(${columns}, place) ${join("e")} ORDER BY e.place`;
}

/** One look-up by key for each: a plan made while the table was young would read all of it. */
export function byKey({ notifications }: TableNames): JoinNotification {
  return (of) =>
    `CROSS JOIN LATERAL (
      SELECT pk, tenant, created_at FROM ${notifications} WHERE tenant = ${of}.tenant AND id = ${of}.notification_id OFFSET 0
    ) n`;
}

/** Writes deliveries of notifications that are there, and the entries of those that wait for a digest. */
export function prepareWriteDeliveries(tables: TableNames) {
  const write = statement<[]>("write_deliveries", insertDeliveries(tables, byKey(tables), 1));
  const writeEntries = statement<[]>(
    "write_digest_entries",
    `INSERT INTO ${tables.digestEntries} (delivery_pk, due_at, plan)
    SELECT d.pk, coalesce(e."scheduledAt", ${timeOf("$2")}) + e."dueInMs" * interval '1 millisecond', e.plan
    FROM json_to_recordset($1) AS e(id uuid, "dueInMs" bigint, "scheduledAt" timestamptz, plan json)
    CROSS JOIN LATERAL (SELECT pk FROM ${tables.deliveries} WHERE id = e.id OFFSET 0) d ORDER BY d.pk`,
  );
  return async (session: Session, sends: readonly NewSend[], at: string | null): Promise<void> => {
    await session.rows(write, [...deliveryValues(sends), at]);
    const entries = sends.flatMap(({ scheduledAt, deliveries }) =>
      deliveries.filter(isEntry).map(({ id, dueInMs, digest: plan }) => ({ id, dueInMs: dueInMs ?? 0, scheduledAt, plan })),
    );
    if (entries.length > 0) {
      await session.rows(writeEntries, [JSON.stringify(entries), at]);
    }
  };
}
