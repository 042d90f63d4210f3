import { createHash } from "node:crypto";
import type { Suppression } from "@belfry/core";
import type { PagedSuppression, SuppressionChange, SuppressionsStorage } from "@belfry/core/storage";
import { type Dialect, type Sql, selected, type Tables } from "../database/sql.ts";

type SuppressionRow = Omit<Suppression, "createdAt"> & { readonly place: string; readonly createdAt: number };

/** Suppressed addresses in a SQL database. */
export function suppressionsStorage(sql: Sql): SuppressionsStorage {
  const texts = suppressingTexts(sql, sql.tables);
  return {
    ...reading(sql),
    ...forgetting(sql),
    async change(changes, at) {
      if (changes.length > 0) {
        await sql.inTransaction("change_suppressions", texts, suppressingValues(sql, changes, at));
      }
    },
  };
}

/** The members of a change in JSON, in their order. */
const MEMBERS = [
  ...(["tenant", "place", "kind", "channel", "address", "reason", "actor", "detail"] as const),
  ...(["notificationId", "deliveryId", "since", "most"] as const),
];

/**
 * The statements that write changes, to run in one transaction: their values are those of {@link suppressingValues}. What one statement
 * counts, or finds missing, the next one writes, so whoever changes the same address waits.
 */
export function suppressingTexts(dialect: Dialect, tables: Pick<Tables, "auditLog" | "softBounces" | "suppressions">): readonly string[] {
  const { auditLog, softBounces, suppressions } = tables;
  const list = dialect.elements("$1");
  const at = dialect.cast("$2", "timestamptz");
  const member = (name: (typeof MEMBERS)[number]) => `(e.value ->> ${MEMBERS.indexOf(name)})`;
  const isOf = (alias: string) => `${alias}.tenant = ${member("tenant")} AND ${alias}.place = ${member("place")}`;
  const isKind = (...kinds: readonly SuppressionChange["kind"][]) =>
    `${member("kind")} IN (${kinds.map((kind) => `'${kind}'`).join(", ")})`;
  const uuid = (name: "deliveryId" | "notificationId") => dialect.cast(member(name), "uuid");
  const counted = `(SELECT count(*) FROM ${softBounces} b WHERE ${isOf("b")} AND b.at > ${dialect.asTime(member("since"))})`;
  const suppresses = `(${isKind("suppress")} OR (${isKind("count")} AND ${counted} >= ${dialect.cast(member("most"), "bigint")}))`;
  const known = `EXISTS (SELECT 1 FROM ${suppressions} s WHERE ${isOf("s")})`;
  const note = (action: string, details: string, condition: string) => `
    INSERT INTO ${auditLog} (tenant, at, action, actor, notification_id, target_kind, details)
    SELECT ${member("tenant")}, ${at}, '${action}', ${member("actor")}, ${uuid("notificationId")}, 'address', ${details}
    FROM ${list} WHERE ${condition}`;
  const remove = (table: string, kinds: string) => `DELETE FROM ${table} WHERE (tenant, place) IN (
    SELECT ${member("tenant")}, ${member("place")} FROM ${list} WHERE ${kinds} AND ${at} IS NOT NULL)`;
  return [
    `SELECT ${dialect.lock(`'suppressions ' || ${member("tenant")} || ' ' || ${member("place")}`)} FROM ${list} WHERE ${at} IS NOT NULL`,
    `INSERT INTO ${softBounces} (tenant, place, delivery_id, at)
      SELECT ${member("tenant")}, ${member("place")}, ${uuid("deliveryId")}, ${at} FROM ${list} WHERE ${isKind("count")} ON CONFLICT DO NOTHING`,
    note("suppressed", `${member("channel")} || ', ' || ${member("reason")}`, `${suppresses} AND NOT ${known}`),
    `INSERT INTO ${suppressions} (tenant, place, channel, address, reason, actor, detail, created_at)
      SELECT ${(["tenant", "place", "channel", "address", "reason", "actor", "detail"] as const).map(member).join(", ")}, ${at}
      FROM ${list} WHERE ${suppresses} ON CONFLICT DO NOTHING`,
    note("lifted", member("channel"), `${isKind("lift")} AND ${known}`),
    remove(suppressions, isKind("lift")),
    remove(softBounces, isKind("lift", "arrived")),
  ];
}

/** The values of the statements that write changes. */
export function suppressingValues(
  { time }: Pick<Dialect, "time">,
  changes: readonly SuppressionChange[],
  at: Date | string,
): readonly unknown[] {
  // In one order, since each is locked: of two that lock the same ones, neither waits for the other.
  const placed = changes.map((change) => ({ change, place: placeHash(change) })).sort((one, other) => compareTexts(one.place, other.place));
  const rows = placed.map(({ change, place }) => {
    const since = change.kind === "count" ? time(change.since) : null;
    const row: Readonly<Record<string, unknown>> = { ...change, since, place };
    return MEMBERS.map((name) => row[name] ?? null);
  });
  return [JSON.stringify(rows), at];
}

const OF_TENANT = "s.tenant = $1";
/** Sorts after every character. */
const LAST = "\u{10FFFF}";
/** SHA-256 in hexadecimal. */
const HASH_LENGTH = 64;

function reading(sql: Sql): Pick<SuppressionsStorage, "of" | "tenantsWithSome" | "list" | "export"> {
  const { suppressions } = sql.tables;
  const columns = columnsOf(sql);
  const ofPlaces = `SELECT ${columns} FROM ${suppressions} s WHERE ${OF_TENANT} AND ${sql.isIn("s.place", "$2", "text")}`;
  // A look by key for each tenant: as a condition, PostgreSQL might read all suppressions there are.
  const some = `SELECT e.value AS "tenant" FROM ${sql.texts("$1")} WHERE (SELECT s.place FROM ${suppressions} s WHERE s.tenant = e.value LIMIT 1) IS NOT NULL`;
  const listed = `SELECT ${columns} FROM ${suppressions} s WHERE ${OF_TENANT} AND (s.address, s.place) > ($2, $3)
    AND s.address >= $4 AND s.address < $5 AND ${sql.cast("$6", "text")} IN ('', s.channel) AND ${sql.cast("$7", "text")} IN ('', s.reason)
    ORDER BY s.address, s.place LIMIT $8`;
  const exported = `SELECT ${columns} FROM ${suppressions} s WHERE ${OF_TENANT} AND ${sql.isIn("s.address", "$2", "text")} AND s.place > $3
    ORDER BY s.place LIMIT $4`;
  return {
    async of(tenant, places) {
      if (places.length === 0) {
        return [];
      }
      const byHash = new Map(places.map((place) => [placeHash({ tenant, ...place }), place]));
      const rows = await sql.rows<SuppressionRow>("suppressions", ofPlaces, [tenant, JSON.stringify([...byHash.keys()])]);
      return rows.map((row) => ({ ...toSuppression(row), ...byHash.get(row.place) }));
    },
    async tenantsWithSome(tenants) {
      const rows = await sql.rows<{ readonly tenant: string }>("suppressing_tenants", some, [JSON.stringify(tenants)]);
      return rows.map(({ tenant }) => tenant);
    },
    async list(tenant, { prefix, channel, reason, after, limit }) {
      const last = after === null ? ["", ""] : [after.slice(HASH_LENGTH), after.slice(0, HASH_LENGTH)];
      const values = [tenant, ...last, prefix, `${prefix}${LAST}`, channel ?? "", reason ?? "", limit];
      const rows = await sql.rows<SuppressionRow>("list_suppressions", listed, values);
      return rows.map((row): PagedSuppression => ({ ...toSuppression(row), key: `${row.place}${row.address}` }));
    },
    async export(tenant, addresses, { after, limit }) {
      const rows = await sql.rows<SuppressionRow>("export_suppressions", exported, [tenant, JSON.stringify(addresses), after ?? "", limit]);
      return { records: rows.map(toSuppression), next: rows.length < limit ? null : (rows.at(-1)?.place ?? null) };
    },
  };
}

function forgetting(sql: Sql): Pick<SuppressionsStorage, "erase" | "sweep"> {
  const { softBounces, suppressions } = sql.tables;
  const named = `SELECT s.place FROM ${suppressions} s WHERE ${OF_TENANT} AND ${sql.isIn("s.address", "$2", "text")} LIMIT $3`;
  const emptied = `UPDATE ${suppressions} AS u SET address = '', detail = NULL WHERE u.tenant = $1 AND u.place IN (${named}) RETURNING place`;
  const old = `SELECT b.tenant, b.place, b.delivery_id FROM ${softBounces} b WHERE b.at < ${sql.cast("$1", "timestamptz")} ORDER BY b.at LIMIT $2`;
  const swept = `DELETE FROM ${softBounces} WHERE (tenant, place, delivery_id) IN (${old}) RETURNING place`;
  return {
    async erase(tenant, addresses, limit) {
      const removed = (await sql.rows("erase_suppressions", emptied, [tenant, JSON.stringify(addresses), limit])).length;
      return { removed, isDone: removed < limit };
    },
    async sweep(before, { limit }) {
      const removed = (await sql.rows("sweep_soft_bounces", swept, [before, limit])).length;
      return { removed, next: removed < limit ? null : "more" };
    },
  };
}

function columnsOf(sql: Sql): string {
  return selected({
    ...{ place: "s.place", channel: "s.channel", address: "s.address", reason: "s.reason", actor: "s.actor", detail: "s.detail" },
    createdAt: sql.milliseconds("s.created_at"),
  });
}

function toSuppression({ place: _, createdAt, ...row }: SuppressionRow): Suppression {
  return { ...row, createdAt: new Date(createdAt) };
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** What an address is found by. */
function placeHash({ tenant, channel, address }: { readonly tenant: string; readonly channel: string; readonly address: string }): string {
  return createHash("sha256").update(`${tenant}\u0000${channel}\u0000${address}`).digest("hex");
}
