import type {
  AuditEntry,
  Delivery,
  DeliveryAttempt,
  DeliveryPlan,
  Handler,
  HubPage,
  Identity,
  Notification,
  SendDetails,
  SendProgress,
  SourceRecord,
} from "@belfry/core";
import type { StoredApiKey, StoredTicket } from "@belfry/core/storage";
import type { Milliseconds, TableOf } from "./fields.ts";

/** A processing record as it is stored: with its event's key and its lease's fence, and without its event's id. */
export type StoredRecord = Omit<SourceRecord, "notificationId"> & {
  readonly pk: number;
  readonly notificationPk: number;
  readonly fence: number;
};

/** A delivery but for its notification's id, which the notification has. */
export type StoredDelivery = Omit<Delivery, "notificationId">;

/** An attempt but for its delivery's id, which the delivery has. */
export type StoredAttempt = Omit<DeliveryAttempt, "deliveryId">;

/** How many chains of a notification came to what, as columns. */
interface ChainColumns {
  readonly pendingChains: number;
  readonly sentChains: number;
  readonly deliveredChains: number;
  readonly failedChains: number;
  readonly cancelledChains: number;
}

/** The plan of a notification's deliveries and how far they got: one row for each notification that has some. */
export interface Tracking extends DeliveryPlan, SendProgress, ChainColumns {
  readonly tenant: string;
}

/** The tables whose records are read and written by their declaration. One that lacks a field of its record does not compile. */
export interface Schema {
  readonly apiKeys: TableOf<StoredApiKey>;
  readonly auditLog: TableOf<AuditEntry>;
  readonly deliveries: TableOf<StoredDelivery>;
  readonly deliveryAttempts: TableOf<StoredAttempt>;
  readonly handlers: TableOf<Handler>;
  readonly identities: TableOf<Identity>;
  readonly notifications: TableOf<Notification>;
  readonly processingRecords: TableOf<StoredRecord>;
  readonly sends: TableOf<SendDetails>;
  readonly socketTickets: TableOf<StoredTicket>;
  readonly trackings: TableOf<Tracking>;
}

/** The tables as SQL names them. */
export type Tables = Readonly<
  Record<keyof Schema | "eventAcks" | "events" | "idempotencyKeys" | "inboxCounters" | "inboxItems" | "prompts", string>
>;

/** How SQL differs between the storages. */
export interface Dialect {
  /** The tables as drizzle declares them. */
  readonly schema: Schema;
  /** Joins a table to those named before it, which SQLite then reads first. */
  readonly join: "JOIN" | "CROSS JOIN";
  /** By which column an identity is found in the index of what its sources call it, and what that column has of a text. */
  readonly sourceKey: { readonly column: "source_id" | "source_digest"; of(text: string): string };
  /** A column for which no index is to be looked for. */
  unindexed(column: string): string;
  readonly milliseconds: Milliseconds;
  /** The length of a text or of JSON in bytes, for which it is not read as a whole. */
  bytes(column: string): string;
  /** Whether a column is in a list in JSON. */
  isIn(column: string, list: `$${number}`, type: "uuid" | "bigint"): string;
  /** A parameter as a value of a type, where SQL has to be told. */
  cast(parameter: string, type: "text" | "timestamptz" | "uuid"): string;
  /** Whether a list in JSON has a text. */
  hasText(list: string, text: string): string;
  /** The functions that make a list in JSON of values, and of rows. */
  readonly json: { readonly list: string; readonly listOfRows: string };
  /** A random epoch of the form of core's `newEpoch`: anew for every row. */
  readonly newEpoch: string;
  /** Whether a text has another in it. */
  contains(text: string, part: string): string;
}

/** A page as SQL: what is counted (tables and their condition), the page's rows in their order, and that order by the rows' names. */
export interface PageParts {
  readonly counted: string;
  readonly rows: string;
  readonly order: string;
}

/**
 * Runs what both storages ask with the same words: nothing of it is hot. Parameters are $1, $2 and so on, each named once or
 * more; dates among their values are times of the database. Rows are objects by their columns' names, with times in milliseconds;
 * JSON may come as text or parsed. `name` only tells people what a statement is for.
 */
export interface Sql extends Dialect {
  readonly tables: Tables;
  /** Runs one statement that answers with rows: a transaction by itself. */
  rows<Row extends object>(name: string, text: string, values: readonly unknown[]): Promise<readonly Row[]>;
  /** Runs statements over the same values as one transaction. */
  inTransaction(name: string, texts: readonly string[], values: readonly unknown[]): Promise<void>;
  /** Reads a page and how many match, both of one moment. */
  page<Row extends object>(name: string, parts: PageParts, values: readonly unknown[]): Promise<HubPage<Row>>;
}

/** A row of a record: its fields, with times in milliseconds. */
export type RowOf<Of> = {
  readonly [Key in keyof Of]: Of[Key] extends Date ? number : Of[Key] extends Date | null ? number | null : Of[Key];
};

/** Columns by the names that a row is to have them under, as SQL selects them. */
export function selected(columns: Readonly<Record<string, string>>): string {
  return Object.entries(columns)
    .map(([name, column]) => `${column} AS "${name}"`)
    .join(", ");
}

/** JSON, parsed by the driver or not. */
export function parsed<Json extends object>(json: Json | string): Json {
  return typeof json === "string" ? (JSON.parse(json) as Json) : json;
}

/** A condition on a value that may not be given. */
export type Filter = readonly [value: string | Date | undefined, condition: (parameter: string) => string];

/** The conditions whose values are given, as SQL after other conditions. Their values are the statement's from $4 on. */
export function filteredBy(filters: readonly Filter[]): { readonly and: string; readonly values: readonly unknown[] } {
  const given = filters.filter(([value]) => value !== undefined);
  return { and: given.map(([, condition], index) => ` AND ${condition(`$${index + 4}`)}`).join(""), values: given.map(([value]) => value) };
}
