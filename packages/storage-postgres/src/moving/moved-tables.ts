import { type ColumnSpec, columnName, type Kind, POSTGRES_TABLES } from "@belfry/storage-sql";
import type { TableNames } from "../database/table-names.ts";

type Table = keyof typeof POSTGRES_TABLES;

/** A table whose rows others refer to by a key that each database numbers for itself. */
type Parent = "notifications" | "deliveries" | "prompts" | "digests";

/** How a row of a parent is found in any database: by its own name, in its tenant. */
const NAMES: Readonly<Record<Parent, { readonly column: string; readonly type: string }>> = {
  notifications: { column: "id", type: "uuid" },
  deliveries: { column: "id", type: "uuid" },
  prompts: { column: "digest", type: "text" },
  digests: { column: "id", type: "uuid" },
};

const TYPES: Readonly<Record<Kind, string>> = {
  key: "bigint",
  counter: "bigint",
  text: "text",
  bytewise: "text",
  uuid: "uuid",
  integer: "integer",
  number: "bigint",
  boolean: "boolean",
  // As UTC has it, so that it is the same text in every database.
  time: "timestamp",
  json: "json",
  texts: "text[]",
};

/** Through which table the rows of a table are found, in the order of an index: its own, its notification's, or its delivery's. */
export type Path = "own" | "notifications" | "deliveries";

/** A table that moves with its tenant. */
export interface MovedTable {
  readonly table: Table;
  readonly path: Path;
  /** The fields that tell rows apart that have the same place on the path. */
  readonly order: readonly string[];
}

const own = (table: Table, ...order: readonly string[]): MovedTable => ({ table, path: "own", order });
const byNotification = (table: Table, ...order: readonly string[]): MovedTable => ({ table, path: "notifications", order });
const byDelivery = (table: Table, ...order: readonly string[]): MovedTable => ({ table, path: "deliveries", order });

/** All tables that move, each after those that it refers to. */
export const MOVED_TABLES: readonly MovedTable[] = [
  own("notifications", "id"),
  own("contentTokens", "tenant"),
  own("broadcastNumbers", "tenant"),
  own("deletedUsers", "hash"),
  byNotification("broadcasts"),
  byNotification("endedBroadcasts"),
  byNotification("audiences"),
  byNotification("trackings"),
  byNotification("sends"),
  byNotification("itemUpdates"),
  own("inboxCounters", "userId"),
  own("inboxGroups", "userId", "group"),
  own("readMarks", "userId", "upToSeq", "rev"),
  own("inboxChanges", "userId", "rev"),
  own("inboxItems", "userId", "seq"),
  own("deliveries", "recipient", "notificationPk", "pk"),
  byDelivery("deliveryAttempts", "attempt"),
  own("attemptSums", "channel", "latencyMs", "writer", "minute"),
  own("digests", "userId", "pk"),
  byDelivery("digestEntries"),
  byNotification("takenAddresses", "place"),
  own("idempotencyKeys", "key"),
  own("auditLog", "number"),
  own("apiKeys", "id"),
  own("pauses", "channel", "recipient"),
  own("suppressions", "place"),
  own("softBounces", "place", "deliveryId"),
  own("backlogSamples", "channel", "minute"),
  own("retryRuns", "id"),
  own("choices", "userId", "place"),
  own("settings", "userId"),
  own("throttles", "userId", "place"),
  own("subscriptions", "topic", "userId"),
  own("devices", "id"),
  own("identities", "id"),
  own("handlers", "id"),
  own("prompts", "digest"),
  byNotification("events"),
  byNotification("eventAcks", "client"),
  byNotification("processingRecords", "pk"),
];

/** The tables that stay, and why. */
export const STAYING_TABLES: Readonly<Partial<Record<Table, string>>> = {
  alarms: "the processes of each database watch for themselves, and take turns there before a tenant comes",
  workerHeartbeats: "they are of the processes of this database",
  circuits: "endpoints that rest are those of all tenants, and are found out again",
  fanOuts: "a move waits until the large audiences of its tenant are written",
  fanOutParts: "a move waits until the large audiences of its tenant are written",
  fanOutChunks: "a move waits until the large audiences of its tenant are written",
  presence: "it belongs to the processes that are connected",
  socketTickets: "they last for 30 seconds",
  migrations: "each database has its own",
};

/** The columns that refer to a parent without a foreign key. */
const LOOSE_REFERENCES: Readonly<Record<string, Parent>> = {
  "takenAddresses.notificationPk": "notifications",
  "digestEntries.digestPk": "digests",
};

/** A column that is copied, by its name in SQL. */
export interface MovedColumn {
  readonly name: string;
  readonly type: string;
  /** What it refers to; null for a column that is copied as it is. */
  readonly of: Parent | null;
  readonly isNullable: boolean;
}

/** The columns of a table that are copied: all but keys that each database gives out itself. */
export function movedColumns(table: Table): readonly MovedColumn[] {
  const columns: Readonly<Record<string, ColumnSpec>> = POSTGRES_TABLES[table].columns;
  return Object.entries(columns)
    .filter(([, { kind, of }]) => of !== undefined || (kind !== "key" && kind !== "counter"))
    .map(([field, column]) => {
      const of = parentOf(table, field, column);
      return {
        name: columnName(field, column),
        type: of === null ? TYPES[column.kind] : NAMES[of].type,
        of,
        isNullable: column.isNullable,
      };
    });
}

function parentOf(table: Table, field: string, { of }: ColumnSpec): Parent | null {
  const parent = of?.table ?? LOOSE_REFERENCES[`${table}.${field}`];
  if (parent === "fanOuts") {
    throw new Error(`The table ${table} refers to fan-outs, which do not move.`);
  }
  return parent ?? null;
}

/** A time with a zone as one without, or the other way round; other values as they are. */
function inUtc(sql: string, type: string): string {
  return type === TYPES.time ? `${sql} AT TIME ZONE 'UTC'` : sql;
}

/** The parts of a select of a tenant's rows, which is $1: its columns, with names in the place of keys, and where they come from. */
export interface RowsSql {
  readonly columns: string;
  readonly from: string;
  /** Expressions in whose order rows are read. No two rows have the same. */
  readonly order: readonly { readonly sql: string; readonly type: string }[];
}

/** Selects the rows of a table that belong to a tenant. */
export function rowsOf({ table, path, order }: MovedTable, tables: TableNames): RowsSql {
  const columns = movedColumns(table);
  const joins = columns.flatMap(({ name, of, isNullable }) => {
    if (of === null) {
      return [];
    }
    // A notification that is being deleted has another tenant. What is left of it stays where it is, and goes there.
    const belongs = of === "notifications" ? ` AND r_${name}.tenant = $1` : "";
    return [`${isNullable ? "LEFT JOIN" : "JOIN"} ${tables[of]} r_${name} ON r_${name}.pk = t."${name}"${belongs}`];
  });
  const isTenants = "tenant" in POSTGRES_TABLES[table].columns ? "t.tenant = $1" : "true";
  const shown = columns.map(({ name, type, of }) =>
    of === null ? `${inUtc(`t."${name}"`, type)} AS "${name}"` : `r_${name}.${NAMES[of].column} AS "${name}"`,
  );
  return {
    columns: shown.join(", "),
    from: `${tables[table]} t ${joins.join(" ")} WHERE ${isTenants}${path === "deliveries" ? " AND r_delivery_pk.tenant = $1" : ""}`,
    order: [...placeOnPath(path), ...order.map((field) => ownPlace(table, field))],
  };
}

function placeOnPath(path: Path): RowsSql["order"] {
  switch (path) {
    case "own":
      return [];
    case "notifications":
      return [{ sql: "r_notification_pk.id", type: "uuid" }];
    case "deliveries":
      return [
        { sql: "r_delivery_pk.recipient", type: "text" },
        { sql: "r_delivery_pk.notification_pk", type: "bigint" },
        { sql: "r_delivery_pk.pk", type: "bigint" },
      ];
  }
}

function ownPlace(table: Table, field: string): RowsSql["order"][number] {
  const columns: Readonly<Record<string, ColumnSpec>> = POSTGRES_TABLES[table].columns;
  const column = columns[field];
  if (column === undefined) {
    throw new Error(`The table ${table} has no field ${field}.`);
  }
  const type = TYPES[column.kind];
  return { sql: inUtc(`t."${columnName(field, column)}"`, type), type };
}

/** Inserts rows, as JSON in $2, into the tenant $1 of another database. */
export function insertOf({ table }: MovedTable, tables: TableNames): string {
  const columns = movedColumns(table);
  const values = columns.map(({ name, type, of }) => {
    if (of === null) {
      return inUtc(`r."${name}"`, type);
    }
    return `(SELECT p.pk FROM ${tables[of]} p WHERE p.tenant = $1 AND p.${NAMES[of].column} = r."${name}")`;
  });
  return `INSERT INTO ${tables[table]} (${columns.map(({ name }) => `"${name}"`).join(", ")}) SELECT ${values.join(", ")}
    FROM json_to_recordset($2::json) AS r(${columns.map(({ name, type }) => `"${name}" ${type}`).join(", ")}) WHERE $1::text IS NOT NULL`;
}
