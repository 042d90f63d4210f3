import type { ActivityStorage, FailingDelivery, FailingKind } from "@belfry/core/storage";
import { type Sql, selected } from "../database/sql.ts";

/** How much of an error tells it from others. */
const ERROR_LENGTH = 200;
/** Before the first. */
const NEWEST = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const;

/** Times in milliseconds. */
interface FailingRow extends Omit<FailingDelivery, "place" | "firstAt" | "lastAt"> {
  readonly notificationPk: number;
  readonly pk: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** Finds deliveries that fail in a SQL database: along an index of them alone; what their attempts say is looked up by key. */
export function failingDeliveries(sql: Sql): Pick<ActivityStorage, "failing"> {
  const texts = {
    failed: failingText(sql, "t.status = 'failed' AND t.channel <> 'inbox'"),
    retrying: failingText(sql, "t.status = 'pending' AND t.lease_owner IS NULL AND t.attempt > t.attempts_before"),
  } satisfies Readonly<Record<FailingKind, string>>;
  return {
    async failing(tenant, { kind, after, limit }) {
      const rows = await sql.rows<FailingRow>(`failing_${kind}`, texts[kind], [tenant, ...(after ?? NEWEST), limit]);
      return rows.map(toFailing);
    },
  };
}

/** $1 the tenant, $2 and $3 the place after which to go on, $4 how many. */
function failingText(sql: Sql, isFailing: string): string {
  const { deliveries, deliveryAttempts, notifications } = sql.tables;
  const order = "t.notification_pk DESC, t.pk DESC";
  const newest = `SELECT t.* FROM ${deliveries} t WHERE t.tenant = $1 AND ${isFailing}
      AND t.notification_pk <= $2 AND (t.notification_pk < $2 OR t.pk < $3) ORDER BY ${order} LIMIT $4`;
  // A subquery for each: a join might read all attempts there are.
  const ofAttempt = (column: string, number: string) =>
    `(SELECT ${column} FROM ${deliveryAttempts} a WHERE a.delivery_pk = listed.pk AND a.attempt = ${number})`;
  const ofLast = (column: string) => ofAttempt(column, "listed.attempt");
  const error = `CASE WHEN a.status IN ('failed', 'unknown') THEN substr(coalesce(a.error, ''), 1, ${ERROR_LENGTH}) ELSE '' END`;
  const end = sql.milliseconds("a.finished_at");
  const settled = sql.milliseconds("coalesce(listed.settled_at, listed.due_at)");
  const columns = selected({
    ...{ notificationPk: "listed.notification_pk", pk: "listed.pk", id: "listed.id", reason: "listed.reason" },
    ...{ channel: "listed.channel", recipient: "listed.recipient", attempts: "listed.attempt - listed.attempts_before" },
    notificationId: `(SELECT n.id FROM ${notifications} n WHERE n.pk = listed.notification_pk)`,
    provider: `coalesce(${ofLast("a.provider")}, '')`,
    error: `coalesce(${ofLast(error)}, '')`,
    firstAt: `coalesce(${ofAttempt(end, "listed.attempts_before + 1")}, ${ofLast(end)}, ${settled})`,
    lastAt: `coalesce(${ofLast(end)}, ${settled})`,
  });
  return `SELECT ${columns} FROM (${newest}) listed ORDER BY listed.notification_pk DESC, listed.pk DESC`;
}

function toFailing({ notificationPk, pk, firstAt, lastAt, ...row }: FailingRow): FailingDelivery {
  return { ...row, place: [notificationPk, pk], firstAt: new Date(firstAt), lastAt: new Date(lastAt) };
}
