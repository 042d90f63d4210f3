import { createHash } from "node:crypto";
import { type Digest, type EntryPlan, isUuid, type JsonObject, type Notification } from "@belfry/core";
import {
  type ClaimedDigest,
  type DigestMember,
  type DigestStorage,
  FULL_WINDOW,
  type TakenEntry,
  type UntakenEntry,
} from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import { type Dialect, parsed, type RowOf, type Sql } from "../database/sql.ts";

/** The columns of a digest that are not its own: its key, its place, and its lease. */
const KEPT_APART = ["pk", "place", "lastAt", "attempt", "dueAt", "leaseOwner", "leaseUntil", "fence"];

const digestFields = (dialect: Dialect) => fieldsOf<Digest>(dialect.schema.digests, dialect, KEPT_APART);

/** A digest with its lease, as a row. */
export interface ClaimedDigestRow extends RowOf<Digest> {
  readonly pk: number;
  readonly attempt: number;
  readonly fence: number;
}

/** The columns of a {@link ClaimedDigestRow}, over `g`. */
export function digestColumns(dialect: Dialect): string {
  return `g.pk, g.attempt, g.fence, ${digestFields(dialect).columns("g")}`;
}

/** A {@link ClaimedDigestRow} of a list of its columns. */
export function toDigestRow(dialect: Dialect): (columns: readonly unknown[]) => ClaimedDigestRow {
  const keys = ["pk", "attempt", "fence", ...digestFields(dialect).all.map(([key]) => key)];
  return (columns) => Object.fromEntries(keys.map((key, index) => [key, columns[index]])) as unknown as ClaimedDigestRow;
}

/** Makes tasks of rows. */
export function toClaimedDigest(dialect: Dialect): (row: ClaimedDigestRow) => ClaimedDigest {
  const fields = digestFields(dialect);
  return (row) => ({ id: row.id, fence: row.fence, attempt: row.attempt, digest: fields.record(row) });
}

/** Names what tells the digests of a user and channel apart: names and keys may be too long for an index. */
export function placeOf({ by, scope, name, key, frequency }: EntryPlan): string {
  return createHash("sha256")
    .update(JSON.stringify([by, scope, name, key, frequency]))
    .digest("hex");
}

/** The state that a digest gets, as SQL: of a place, one is open at most. */
export function reopened(state: string, { digests, of }: { readonly digests: string; readonly of: string }): string {
  const same = ["tenant", "user_id", "channel", "place"].map((column) => `o.${column} = ${of}.${column}`).join(" AND ");
  return `CASE WHEN ${state} = 'open' AND EXISTS (SELECT 1 FROM ${digests} o WHERE ${same} AND o.state = 'open' AND o.pk <> ${of}.pk)
      THEN 'closing' ELSE ${state} END`;
}

type MemberRow = RowOf<Notification> & {
  readonly deliveryPk: number;
  readonly deliveryId: string;
  readonly deliveryStatus: DigestMember["status"];
  readonly deliveryTopic: string | null;
  readonly scheduledAt: number | null;
  readonly meta: JsonObject | string | null;
};

/** Digests in a SQL database. */
export function digestStorage(sql: Sql, leases: DigestStorage["leases"]): DigestStorage {
  return { leases, ...windows(sql), ...reads(sql), ...privacy(sql) };
}

/** Entries on their way into windows. */
function windows(sql: Sql): Pick<DigestStorage, "untaken" | "take" | "move" | "release"> {
  const { deliveries, digestEntries: entries, digests } = sql.tables;
  const untaken = `SELECT d.id AS "deliveryId", d.tenant, d.recipient AS "userId", d.channel, x.plan, ${sql.milliseconds("x.due_at")} AS "dueAt"
    FROM ${entries} x ${sql.join} ${deliveries} d ON d.pk = x.delivery_pk
    WHERE x.digest_pk IS NULL AND x.due_at <= $2 ORDER BY x.due_at, x.delivery_pk LIMIT $1`;
  const isOpen = (of: string) => `${of}.state = 'open' AND ${of}.lease_owner IS NULL`;
  // In the order in which windows are locked as entries are put into them.
  const toMove = `SELECT g.pk FROM ${digests} g WHERE g.tenant = $1 AND ${sql.isIn("g.id", "$2", "uuid")} AND ${isOpen("g")}
    ORDER BY g.tenant, g.user_id, g.channel, g.place ${sql.forUpdate("g")}`;
  const move = `UPDATE ${digests} AS o SET due_at = $3, closes_at = $3 WHERE o.pk IN (${toMove}) AND ${isOpen("o")} RETURNING id`;
  const release = `UPDATE ${digests} SET lease_owner = NULL, lease_until = NULL
    WHERE id = $1 AND lease_owner = $2 AND fence = $3 AND lease_until = $4 RETURNING id`;
  const takes = takeTexts(sql);
  return {
    async untaken(limit, at) {
      const rows = await sql.rows<Omit<UntakenEntry, "dueAt"> & { readonly dueAt: number }>("untaken_entries", untaken, [limit, at]);
      return rows.map((row) => ({ ...row, plan: parsed(row.plan), dueAt: new Date(row.dueAt) }));
    },
    async take(taken, at, token) {
      const time = (date: Date | null) => (date === null ? null : sql.time(date));
      const isOver = ({ closesAt }: TakenEntry) => (closesAt.getTime() <= at.getTime() ? "yes" : "no");
      const given = taken.map((entry) => {
        const { deliveryId, digestId, tenant, userId, channel, plan } = entry;
        const flags = { leading: plan.leading ? "yes" : "no", over: isOver(entry) };
        return { deliveryId, digestId, tenant, userId, channel, place: placeOf(plan), ...flags };
      });
      const byId = new Map(taken.map((entry) => [entry.digestId, entry]));
      const opening = [...byId.values()].map((entry) => {
        const { tenant, userId, channel, plan, digestId, openedAt, closesAt, lastAt } = entry;
        const times = { openedAt: time(openedAt), closesAt: time(closesAt), lastAt: time(lastAt), over: isOver(entry) };
        return { digestId, tenant, userId, channel, place: placeOf(plan), plan, ...times };
      });
      await sql.inTransaction("take_entries", takes, [JSON.stringify(given), JSON.stringify(opening), at, token]);
    },
    async release(leases) {
      for (const { id, owner, fence, until } of leases) {
        await sql.rows("release_digest", release, [id, owner, fence, until]);
      }
    },
    async move(tenant, ids, closesAt) {
      await sql.rows("move_digests", move, [tenant, JSON.stringify(ids), closesAt]);
    },
  };
}

/**
 * The statements that put entries into windows. $1 is a list of entries, $2 one of the windows that open for them, $3 the time, $4 the
 * token, which marks the entries that are this call's.
 */
function takeTexts(sql: Sql): readonly string[] {
  const { deliveries, digestEntries: entries, digests } = sql.tables;
  const { join } = sql;
  const [list, opening, at, token] = [
    `(SELECT value FROM ${sql.elements("$1")}) i`,
    `(SELECT value FROM ${sql.elements("$2")}) w`,
    sql.cast("$3", "timestamptz"),
    sql.cast("$4", "text"),
  ];
  // Every statement gets all values, and PostgreSQL wants to know the type of each.
  const all = (["$1", "$2", "$4"] as const).map((one) => `${sql.cast(one, "text")} IS NOT NULL`).join(" AND ");
  const given = `${all} AND ${at} IS NOT NULL`;
  const member = (of: string, name: string) => `(${of}.value ->> '${name}')`;
  const ofEntry = `${join} ${deliveries} d ON d.id = ${sql.cast(member("i", "deliveryId"), "uuid")}`;
  const windowOf = (of: string) => `g.tenant = ${member(of, "tenant")} AND g.user_id = ${member(of, "userId")}
      AND g.channel = ${member(of, "channel")} AND g.place = ${member(of, "place")} AND g.state = 'open'`;
  const window = windowOf("w");
  const isOwn = `x.taken_by = ${token} AND x.digest_pk IS NULL`;
  const forget = `DELETE FROM ${entries} AS x WHERE ${isOwn} AND ${given}
    AND NOT EXISTS (SELECT 1 FROM ${deliveries} d WHERE d.pk = x.delivery_pk AND d.status = 'pending' AND d.reason = 'digest')`;
  const isFull = `(SELECT count(*) FROM (SELECT 1 FROM ${entries} WHERE digest_pk = g.pk LIMIT ${FULL_WINDOW}) f) >= ${FULL_WINDOW}`;
  const moved =
    "CASE WHEN g.last_at IS NULL OR excluded.due_at < g.due_at THEN g.due_at WHEN excluded.due_at > g.last_at THEN g.last_at ELSE excluded.due_at END";
  return [
    // In one order, so that two calls never wait for each other: deliveries with their entries, as when a delivery is deleted, and then
    // windows, those that are open before those that open.
    `SELECT x.delivery_pk FROM ${list} ${ofEntry} ${join} ${entries} x ON x.delivery_pk = d.pk AND x.digest_pk IS NULL
    WHERE ${given} ORDER BY x.delivery_pk ${sql.forUpdate("d, x")}`,
    `SELECT g.pk FROM ${opening} ${join} ${digests} g ON ${window} WHERE ${given}
    ORDER BY g.tenant, g.user_id, g.channel, g.place ${sql.forUpdate("g")}`,
    // Read once: PostgreSQL would look through the whole list for each entry that waits.
    `WITH own AS MATERIALIZED (SELECT d.pk FROM ${list} ${ofEntry})
    UPDATE ${entries} SET taken_by = ${token} WHERE digest_pk IS NULL AND ${given} AND delivery_pk IN (SELECT pk FROM own)`,
    forget,
    // A full window closes at its time all the same. One that is due stays open for what should have been in it.
    `UPDATE ${digests} AS o SET state = 'closing' WHERE state = 'open' AND ${given} AND pk IN (SELECT g.pk FROM ${opening} ${join} ${digests} g ON ${window}
      WHERE (g.due_at <= ${at} AND ${member("w", "over")} = 'no') OR ${isFull})`,
    `INSERT INTO ${digests} AS g (id, tenant, user_id, channel, place, plan, state, opened_at, closes_at, last_at, shown, total, attempt, due_at, fence)
    SELECT ${sql.cast(member("w", "digestId"), "uuid")}, ${["tenant", "userId", "channel", "place"].map((name) => member("w", name)).join(", ")},
      ${sql.asJson(member("w", "plan"))}, CASE WHEN ${member("w", "over")} = 'yes' AND EXISTS (SELECT 1 FROM ${digests} g WHERE ${window} AND g.due_at > ${at})
        THEN 'closing' ELSE 'open' END, ${sql.asTime(member("w", "openedAt"))}, ${sql.asTime(member("w", "closesAt"))}, ${sql.asTime(member("w", "lastAt"))}, 0, 0, 0,
      ${sql.asTime(member("w", "closesAt"))}, 0
    FROM ${opening} WHERE ${given} AND ${member("w", "digestId")} IN (
      SELECT ${member("i", "digestId")} FROM ${list} ${ofEntry} ${join} ${entries} x ON x.delivery_pk = d.pk AND ${isOwn})
    ORDER BY 2, 3, 4, 5
    ON CONFLICT (tenant, user_id, channel, place) WHERE state = 'open' DO UPDATE SET due_at = ${moved}, closes_at = ${moved}`,
    // A window has the id that it was to open with only if this call opened it.
    `UPDATE ${deliveries} SET due_at = ${at}, reason = NULL, reason_source = NULL WHERE status = 'pending' AND lease_owner IS NULL AND ${given} AND pk IN (
      SELECT min(x.delivery_pk) FROM ${list} ${ofEntry} ${join} ${entries} x ON x.delivery_pk = d.pk AND ${isOwn}
      ${join} ${digests} g ON g.id = ${sql.cast(member("i", "digestId"), "uuid")} WHERE ${member("i", "leading")} = 'yes' GROUP BY ${member("i", "digestId")})`,
    forget,
    `WITH o AS MATERIALIZED (
      SELECT d.pk AS delivery_pk, g.pk AS digest_pk FROM ${list} ${ofEntry} ${join} ${digests} g ON ${windowOf("i")}
        AND (g.due_at <= ${at} OR ${member("i", "over")} = 'no')
      UNION ALL SELECT d.pk, g.pk FROM ${list} ${ofEntry} ${join} ${digests} g ON g.id = ${sql.cast(member("i", "digestId"), "uuid")}
        AND g.state = 'closing' AND ${member("i", "over")} = 'yes')
    UPDATE ${entries} AS x SET digest_pk = o.digest_pk, taken_by = NULL FROM o WHERE x.delivery_pk = o.delivery_pk AND ${isOwn} AND ${given}`,
  ];
}

/** Reads of digests and their entries. */
function reads(sql: Sql): Pick<DigestStorage, "members" | "bundleOf" | "digestsOf" | "openOf" | "openIn"> {
  const { deliveries, digestEntries: entries, digests, notifications, sends, trackings } = sql.tables;
  const { join } = sql;
  const fields = digestFields(sql);
  const notification = fieldsOf<Notification>(sql.schema.notifications, sql);
  const columns = `d.pk AS "deliveryPk", d.id AS "deliveryId", d.status AS "deliveryStatus", d.topic AS "deliveryTopic", ${sql.milliseconds("t.scheduled_at")} AS "scheduledAt",
    s.meta, ${notification.columns("n")}`;
  const inDigest = `${digests} g ${join} ${entries} x ON x.digest_pk = g.pk ${join} ${deliveries} d ON d.pk = x.delivery_pk`;
  // The tenants differ once a notification is being deleted.
  const withContent = `${join} ${notifications} n ON n.pk = d.notification_pk AND n.tenant = d.tenant ${join} ${trackings} t ON t.notification_pk = n.pk
    LEFT JOIN ${sends} s ON s.notification_pk = n.pk`;
  const page = `SELECT ${columns} FROM ${inDigest} ${withContent} WHERE g.id = $1 AND x.delivery_pk > $2 ORDER BY x.delivery_pk LIMIT $3`;
  const shown = `SELECT ${columns} FROM ${inDigest} ${withContent} WHERE g.id = $1 AND x.place <= g.shown ORDER BY x.place`;
  const all = `SELECT d.id, n.type FROM ${inDigest} ${join} ${notifications} n ON n.pk = d.notification_pk
    WHERE g.id = $1 AND x.place IS NOT NULL ORDER BY x.place`;
  const bundle = `SELECT ${fields.columns("g")} FROM ${deliveries} d
    ${join} ${deliveries} p ON p.notification_pk = d.notification_pk AND p.chain = d.chain
    ${join} ${entries} x ON x.delivery_pk = p.pk AND x.place IS NOT NULL ${join} ${digests} g ON g.pk = x.digest_pk
    WHERE d.id = $1 AND (g.state <> 'closed' OR d.reason = 'bundled')`;
  const ofDeliveries = `SELECT d.id AS "deliveryId", ${fields.columns("g")} FROM ${deliveries} d
    ${join} ${entries} x ON x.delivery_pk = d.pk ${join} ${digests} g ON g.pk = x.digest_pk WHERE d.tenant = $1 AND ${sql.isIn("d.id", "$2", "uuid")}`;
  const open = `SELECT ${fields.columns("g")} FROM ${digests} g WHERE g.tenant = $1 AND g.user_id = $2 AND g.state = 'open'`;
  const openIn = `SELECT g.place, ${fields.columns("g")} FROM ${digests} g WHERE g.tenant = $1 AND g.state = 'open'
    AND (g.user_id, g.channel, g.place) > ($2, $3, $4) ORDER BY g.user_id, g.channel, g.place LIMIT $5`;
  const toMember = (row: MemberRow): DigestMember => {
    const record = notification.record(row);
    return {
      deliveryId: row.deliveryId,
      status: row.deliveryStatus,
      topic: row.deliveryTopic,
      notification: record,
      scheduledAt: row.scheduledAt === null ? null : new Date(row.scheduledAt),
      meta: row.meta === null ? record.data : parsed(row.meta),
    };
  };
  return {
    async members(digestId, { after, limit }) {
      const rows = await sql.rows<MemberRow>("digest_members", page, [digestId, Number(after ?? 0), limit]);
      return { members: rows.map(toMember), next: rows.length < limit ? null : String(rows.at(-1)?.deliveryPk) };
    },
    async bundleOf(deliveryId) {
      const [row] = isUuid(deliveryId) ? await sql.rows("bundle_of", bundle, [deliveryId]) : [];
      if (row === undefined) {
        return null;
      }
      const digest = fields.record(row);
      const [members, ids] = await Promise.all([
        sql.rows<MemberRow>("bundle_shown", shown, [digest.id]),
        sql.rows<{ readonly id: string; readonly type: string }>("bundle_deliveries", all, [digest.id]),
      ]);
      const types = [...new Set(ids.map(({ type }) => type))];
      return { digest, shown: members.map(toMember), deliveryIds: ids.map(({ id }) => id), types };
    },
    async digestsOf(tenant, deliveryIds) {
      const ids = JSON.stringify(deliveryIds.filter((id) => isUuid(id)));
      const rows = await sql.rows<{ readonly deliveryId: string }>("digests_of", ofDeliveries, [tenant, ids]);
      return new Map(rows.map((row) => [row.deliveryId, fields.record(row)]));
    },
    async openIn(tenant, { after, limit }) {
      const last = after === null ? ["", "", ""] : (JSON.parse(after) as readonly string[]);
      const rows = await sql.rows<{ readonly place: string }>("open_digests_in", openIn, [tenant, ...last, limit]);
      const found = rows.map(fields.record);
      const next = rows.length < limit ? undefined : found.at(-1);
      return { digests: found, next: next === undefined ? null : JSON.stringify([next.userId, next.channel, rows.at(-1)?.place]) };
    },
    async openOf({ tenant, userId }) {
      return (await sql.rows("open_digests", open, [tenant, userId])).map(fields.record);
    },
  };
}

function privacy(sql: Sql): Pick<DigestStorage, "erase" | "export" | "sweep"> {
  const { digestEntries: entries, digests } = sql.tables;
  const fields = digestFields(sql);
  const remove = `DELETE FROM ${digests} WHERE pk IN (SELECT pk FROM ${digests} WHERE tenant = $1 AND user_id = $2 LIMIT $3) RETURNING id`;
  const page = `SELECT g.pk, ${fields.columns("g")} FROM ${digests} g WHERE g.tenant = $1 AND g.user_id = $2 AND g.pk > $3 ORDER BY g.pk LIMIT $4`;
  const old = `SELECT pk FROM ${digests} WHERE closed_at < $1 ORDER BY closed_at LIMIT $2`;
  // An entry that another transaction holds goes with its delivery.
  const sweep = [
    `DELETE FROM ${entries} WHERE delivery_pk IN (
      SELECT x.delivery_pk FROM ${entries} x WHERE ${sql.isIn("x.digest_pk", "$1", "bigint")} ${sql.skipLocked("x")})`,
    `DELETE FROM ${digests} WHERE pk IN (SELECT g.pk FROM ${digests} g WHERE ${sql.isIn("g.pk", "$1", "bigint")} ${sql.skipLocked("g")})`,
  ];
  return {
    async erase({ tenant, userId }, limit) {
      const removed = (await sql.rows("erase_digests", remove, [tenant, userId, limit])).length;
      return { removed, isDone: removed < limit };
    },
    async export({ tenant, userId }, { after, limit }) {
      const rows = await sql.rows<{ readonly pk: number }>("export_digests", page, [tenant, userId, Number(after ?? 0), limit]);
      return { records: rows.map(fields.record), next: rows.length < limit ? null : String(rows.at(-1)?.pk) };
    },
    async sweep(before, { limit }) {
      const rows = await sql.rows<{ readonly pk: number }>("old_digests", old, [before, limit]);
      if (rows.length > 0) {
        await sql.inStep("sweep_digests", sweep, [JSON.stringify(rows.map(({ pk }) => pk))]);
      }
      return { removed: rows.length, next: rows.length < limit ? null : "more" };
    },
  };
}
