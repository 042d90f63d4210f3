import type { TrackedDelivery } from "@belfry/core";
import type { ActivityStorage, ChainCounts, DeliveryListQuery, ListedDelivery } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { type DeliveryRow, deliveryRecords, toDelivery } from "../delivery/rows.ts";

/** How many of its newest attempts a listed delivery has. */
const ATTEMPTS = 20;

interface ListedRow extends DeliveryRow {
  readonly pk: number;
  readonly ofType: string;
  readonly ofTitle: string;
  readonly ofTime: number;
}

type Lists = Pick<ActivityStorage, "chainsOf" | "deliveriesIn" | "deliveriesTo" | "findDelivery">;

/** What failed, and what is tried again after a failure, each as an index has it. */
const FAILING = [
  "d.status = 'failed' AND d.status IN ('failed', 'skipped', 'cancelled')",
  "d.status = 'pending' AND d.lease_owner IS NULL AND d.attempt > d.attempts_before",
];

/** Lists of deliveries for an operator in a SQL database. */
export function deliveryLists(sql: Sql): Lists {
  const { deliveries, notifications, trackings } = sql.tables;
  const attempts = withAttempts(sql);
  const columns = `d.pk, ${deliveryRecords(sql).delivery}, n.type AS "ofType", n.title AS "ofTitle", ${sql.milliseconds("n.created_at")} AS "ofTime"`;
  const inside = `FROM ${notifications} n ${sql.join} ${deliveries} d ON d.notification_pk = n.pk AND d.tenant = n.tenant
    WHERE n.tenant = $1 AND n.id = ${sql.cast("$2", "uuid")}
      AND (d.chain, d.is_fallback, d.pk) > ($3, ${sql.cast("$4", "boolean")}, $5)`;
  const page = `SELECT ${columns} ${inside} ORDER BY d.chain, d.is_fallback, d.pk LIMIT $6`;
  const failing = FAILING.map(
    (one) => `SELECT ${columns} FROM ${notifications} n ${sql.join} ${deliveries} d ON d.notification_pk = n.pk
      WHERE n.tenant = $1 AND n.id = ${sql.cast("$2", "uuid")} AND d.tenant = $1 AND ${one} AND d.pk > $3 ORDER BY d.pk LIMIT $4`,
  );
  const towards = (condition: string) => `SELECT ${columns} FROM ${deliveries} d
    ${sql.join} ${notifications} n ON n.pk = d.notification_pk AND n.tenant = d.tenant
    WHERE d.tenant = $1 AND d.recipient = $2 AND (d.notification_pk, d.pk) < ($3, $4)${condition}
    ORDER BY d.notification_pk DESC, d.pk DESC LIMIT $5`;
  const found = `SELECT ${deliveryRecords(sql).delivery} FROM ${deliveries} d
    ${sql.join} ${notifications} n ON n.pk = d.notification_pk AND n.tenant = d.tenant WHERE d.tenant = $1 AND d.id = ${sql.cast("$2", "uuid")}`;
  const counts = `SELECT t.pending_chains AS pending, t.sent_chains AS sent, t.delivered_chains AS delivered, t.failed_chains AS failed,
      t.skipped_chains AS skipped, t.cancelled_chains AS cancelled
    FROM ${notifications} n ${sql.join} ${trackings} t ON t.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = ${sql.cast("$2", "uuid")}`;
  return {
    async chainsOf(tenant, id) {
      const [row] = await sql.rows<ChainCounts>("chain_counts", counts, [tenant, id]);
      return row ?? null;
    },
    async deliveriesIn(tenant, id, { isFailing, after, limit }) {
      if (isFailing) {
        const [pk = 0] = placeOf(after);
        const found = failing.map((text) => sql.rows<ListedRow>("failing_deliveries_in", text, [tenant, id, pk, limit]));
        const first = (await Promise.all(found))
          .flat()
          .toSorted((one, other) => one.pk - other.pk)
          .slice(0, limit);
        return attempts(first, (row) => [row.pk]);
      }
      const [chain = -1, isFallback = 0, pk = 0] = placeOf(after);
      const rows = await sql.rows<ListedRow>("deliveries_in", page, [tenant, id, chain, isFallback, pk, limit]);
      return attempts(rows, (row) => [row.chain, row.isFallback ? 1 : 0, row.pk]);
    },
    async findDelivery(tenant, id) {
      const [row] = await sql.rows<DeliveryRow>("find_delivery", found, [tenant, id]);
      return row === undefined ? null : toDelivery(row);
    },
    async deliveriesTo(tenant, recipients, { isFailing, after, limit }: DeliveryListQuery) {
      const [notificationPk = Number.MAX_SAFE_INTEGER, pk = 0] = placeOf(after);
      const text = towards(isFailing ? ` AND ((${FAILING.join(") OR (")}))` : "");
      const found: ListedRow[] = [];
      // Each name by itself: an index has its deliveries in order.
      for (const recipient of recipients) {
        found.push(...(await sql.rows<ListedRow>("deliveries_to", text, [tenant, recipient, notificationPk, pk, limit])));
      }
      const newest = found.toSorted((one, other) => other.notificationPk - one.notificationPk || other.pk - one.pk).slice(0, limit);
      return attempts(newest, (row) => [row.notificationPk, row.pk]);
    },
  };
}

/** The numbers of a place in a list; none for its start. */
function placeOf(after: string | null): readonly number[] {
  return after === null ? [] : after.split(" ").map(Number);
}

/** Adds the newest attempts of each delivery, and where the list goes on behind it. */
function withAttempts(sql: Sql) {
  const { deliveries, deliveryAttempts } = sql.tables;
  const records = deliveryRecords(sql);
  const text = `SELECT ${records.attempt} FROM ${deliveries} d ${sql.join} ${deliveryAttempts} a
    ON a.delivery_pk = d.pk AND a.attempt > d.attempt - ${ATTEMPTS} WHERE ${sql.isIn("d.pk", "$1", "bigint")} ORDER BY a.attempt`;
  return async (rows: readonly ListedRow[], placeIn: (row: ListedRow) => readonly number[]): Promise<readonly ListedDelivery[]> => {
    const tried = rows.filter(({ attempt }) => attempt > 0).map(({ pk }) => pk);
    const made =
      tried.length === 0 ? [] : await sql.rows<{ readonly deliveryId: string }>("listed_attempts", text, [JSON.stringify(tried)]);
    const byDelivery = Map.groupBy(made, ({ deliveryId }) => deliveryId);
    return rows.map((row) => {
      const tracked: TrackedDelivery = { ...toDelivery(row), attempts: (byDelivery.get(row.id) ?? []).map(records.toAttempt) };
      const notification = { type: row.ofType, title: row.ofTitle, createdAt: new Date(row.ofTime) };
      return { delivery: tracked, notification, key: placeIn(row).join(" ") };
    });
  };
}
