import type { Dialect, Sql, Tables } from "@belfry/storage-sql";
import {
  apiKeys,
  auditLog,
  deliveries,
  deliveryAttempts,
  handlers,
  identities,
  notifications,
  processingRecords,
  sends,
  trackings,
} from "../schema.ts";
import type { Connection } from "./connection.ts";
import type { QueryContext } from "./statement.ts";

/** The tables as SQL names them. */
export const TABLES: Tables = {
  apiKeys: "belfry_api_keys",
  auditLog: "belfry_audit_log",
  deliveries: "belfry_deliveries",
  deliveryAttempts: "belfry_delivery_attempts",
  eventAcks: "belfry_event_acks",
  events: "belfry_events",
  handlers: "belfry_handlers",
  identities: "belfry_identities",
  notifications: "belfry_notifications",
  processingRecords: "belfry_processing_records",
  sends: "belfry_sends",
  trackings: "belfry_trackings",
};

/** SQL as SQLite speaks it. */
export const DIALECT: Dialect = {
  schema: {
    ...{ apiKeys, auditLog, deliveries, deliveryAttempts, handlers, identities, notifications, processingRecords, sends, trackings },
  },
  // SQLite keeps the order of a CROSS JOIN.
  join: "CROSS JOIN",
  sourceKey: { column: "source_id", of: (text) => text },
  unindexed: (column) => `+${column}`,
  milliseconds: (time) => time,
  bytes: (column) => `octet_length(${column})`,
  isIn: (column, list) => `${column} IN (SELECT value FROM json_each(${list}))`,
  contains: (text, part) => `instr(${text}, ${part}) > 0`,
};

/**
 * Runs what both storages share.
 *
 * @param current what is open at this moment; throws if nothing is
 */
export function sqliteSql(current: () => { readonly connection: Connection }): Sql {
  const preparing = new Map<string, ReturnType<typeof prepareText>>();
  const on = <Row extends object>(connection: Connection, text: string) => {
    const prepare = preparing.get(text) ?? prepareText(text);
    preparing.set(text, prepare);
    return (values: readonly unknown[]) => connection.prepared(prepare).all(values) as Row[];
  };
  return {
    ...DIALECT,
    tables: TABLES,
    async rows<Row extends object>(_: string, text: string, values: readonly unknown[]) {
      const { connection } = current();
      return connection.query(() => on<Row>(connection, text)(values));
    },
    async inTransaction(_, texts, values) {
      const { connection } = current();
      await connection.write(() => texts.map((text) => on(connection, text)(values)));
    },
    async page<Row extends object>(_: string, { counted, rows }: Parameters<Sql["page"]>[1], values: readonly unknown[]) {
      const { connection } = current();
      return connection.read(() => {
        const [count] = on<{ readonly total: number }>(connection, `SELECT count(*) AS total FROM ${counted}`)(values);
        return { items: on<Row>(connection, rows)(values), total: count?.total ?? 0 };
      });
    },
  };
}

function prepareText(text: string) {
  return ({ prepare }: QueryContext) => prepare<readonly unknown[], object>(text);
}
