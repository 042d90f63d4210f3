import type {
  AuditEntry,
  ChoiceScope,
  ChoiceValue,
  Delivery,
  DeliveryAttempt,
  DeliveryPlan,
  Digest,
  Handler,
  HubPage,
  Identity,
  Notification,
  SendDetails,
  SendProgress,
  SourceRecord,
} from "@belfry/core";
import type { DeliveryTerms, StoredApiKey, StoredTicket } from "@belfry/core/storage";
import type { TableOf, Times } from "./fields.ts";

/** A processing record as it is stored: with its event's key and its lease's fence, and without its event's id. */
export type StoredRecord = Omit<SourceRecord, "notificationId"> & {
  readonly pk: number;
  readonly notificationPk: number;
  readonly fence: number;
};

/** A delivery without its notification's id, which the notification has. */
export type StoredDelivery = Omit<Delivery, "notificationId">;

/** An attempt without its delivery's id, which the delivery has. */
export type StoredAttempt = Omit<DeliveryAttempt, "deliveryId">;

/** The number of a notification's chains by status, as columns. */
interface ChainColumns {
  readonly pendingChains: number;
  readonly sentChains: number;
  readonly deliveredChains: number;
  readonly failedChains: number;
  readonly cancelledChains: number;
  readonly skippedChains: number;
}

/** The plan of a notification's deliveries and their progress: one row for each notification with deliveries. */
export interface Tracking extends DeliveryPlan, DeliveryTerms, SendProgress, ChainColumns {
  readonly tenant: string;
}

/** A choice as it is stored: the tenant's with an empty `userId`, one for every channel with an empty `channel`, conditions as JSON. */
export interface StoredChoice {
  readonly tenant: string;
  readonly userId: string;
  readonly place: string;
  readonly scope: ChoiceScope;
  readonly name: string;
  readonly channel: string;
  readonly value: ChoiceValue;
  readonly isLocked: boolean;
  readonly conditions: string | null;
}

/** Settings as they are stored: the tenant's with an empty `userId`, lists and objects as JSON, times in milliseconds. */
export interface StoredSettings {
  readonly tenant: string;
  readonly userId: string;
  readonly timeZone: string | null;
  readonly quietHours: string | null;
  readonly pauseUntil: number | null;
  readonly digest: string | null;
}

/** The tables whose records are read and written by their declaration. One that lacks a field of its record does not compile. */
export interface Schema {
  readonly apiKeys: TableOf<StoredApiKey>;
  readonly auditLog: TableOf<AuditEntry>;
  readonly choices: TableOf<StoredChoice>;
  readonly deliveries: TableOf<StoredDelivery>;
  readonly deliveryAttempts: TableOf<StoredAttempt>;
  readonly digests: TableOf<Digest>;
  readonly handlers: TableOf<Handler>;
  readonly identities: TableOf<Identity>;
  readonly notifications: TableOf<Notification>;
  readonly processingRecords: TableOf<StoredRecord>;
  readonly sends: TableOf<SendDetails>;
  readonly settings: TableOf<StoredSettings>;
  readonly socketTickets: TableOf<StoredTicket>;
  readonly trackings: TableOf<Tracking>;
}

/** The tables as SQL names them. */
export type Tables = Readonly<
  Record<
    | keyof Schema
    | "alarms"
    | "attemptSums"
    | "audiences"
    | "backlogSamples"
    | "broadcastNumbers"
    | "broadcasts"
    | "circuits"
    | "contentTokens"
    | "deletedUsers"
    | "devices"
    | "digestEntries"
    | "endedBroadcasts"
    | "eventAcks"
    | "events"
    | "fanOutChunks"
    | "fanOutParts"
    | "fanOuts"
    | "idempotencyKeys"
    | "inboxCounters"
    | "inboxGroups"
    | "inboxItems"
    | "itemUpdates"
    | "pauses"
    | "prompts"
    | "retryRuns"
    | "softBounces"
    | "subscriptions"
    | "suppressions"
    | "takenAddresses"
    | "inboxChanges"
    | "throttles"
    | "workerHeartbeats",
    string
  >
>;

/** How SQL differs between the storages. */
export interface Dialect extends Times {
  /** The tables, with their types. */
  readonly schema: Schema;
  /** Joins a table to those named before it, which SQLite then reads first. */
  readonly join: "JOIN" | "CROSS JOIN";
  /** The column whose index finds an identity by its source's id for it, and that column's value for such an id. */
  readonly sourceKey: { readonly column: "source_id" | "source_digest"; of(text: string): string };
  /** Names, behind a table's alias, the index to use where SQLite may choose another: for a tenant with few rows among many, say. */
  by(index: string): string;
  /** A column that SQL must not use an index for. */
  unindexed(column: string): string;
  /** Locks the rows of a select by their alias until the transaction ends, where others may write meanwhile. */
  forUpdate(alias: string): string;
  /** Does the same, and leaves out rows that another transaction holds. */
  skipLocked(alias: string): string;
  /** Waits, as an expression, until no other transaction has locked a text, and locks it until the transaction ends, where others may write meanwhile. */
  lock(text: string): string;
  /** The length of a text or of JSON in bytes, found without reading all of it. */
  bytes(column: string): string;
  /** Whether a column is in a list in JSON. */
  isIn(column: string, list: `$${number}`, type: "uuid" | "bigint" | "text"): string;
  /** A parameter cast to a type, where SQL needs the cast. */
  cast(parameter: string, type: "text" | "timestamptz" | "uuid" | "bigint" | "boolean"): string;
  /** What JSON has of a list of texts, as a column has such a list. */
  asTexts(json: string): string;
  /** A text as JSON of a column. */
  asJson(text: string): string;
  /** What JSON has of {@link Times.time}, as a time of a column. */
  asTime(text: string): string;
  /** Whether a JSON list has a text. */
  hasText(list: string, text: string): string;
  /** The functions that make a JSON list: of values, and of rows. */
  readonly json: { readonly list: string; readonly listOfRows: string };
  /** The elements of a JSON list, as rows `e` with the column `value`. */
  elements(list: `$${number}`): string;
  /** A text that is compared byte by byte. */
  bytewise(text: string): string;
  /** The texts of a JSON list, as rows `e` with the column `value`. */
  texts(list: `$${number}`): string;
  /** A random epoch like those of core's `newEpoch`, new for every row. */
  readonly newEpoch: string;
  /** Whether a text contains another. */
  contains(text: string, part: string): string;
}

/** A statement with the values of its parameters. */
export interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A page as SQL: the tables and condition to count, the page's rows in order, and that order by the rows' column names. */
export interface PageParts {
  readonly counted: string;
  readonly rows: string;
  readonly order: string;
}

/**
 * Runs the SQL that both storages share; none of it is hot. Parameters are $1, $2 and so on, each used once or more; dates
 * among their values are times of the database. Rows are objects by column name, with times in milliseconds; JSON may come
 * as text or parsed. `name` only tells people what a statement is for.
 */
export interface Sql extends Dialect {
  readonly tables: Tables;
  /** Whether a column names a tenant whose rows may be written: those of one that moves to another database may not. */
  isStaying(column: string): string;
  /** Runs one statement that returns rows, as its own transaction. @param name null for one that PostgreSQL is to plan anew each time */
  rows<Row extends object>(name: string | null, text: string, values: readonly unknown[]): Promise<readonly Row[]>;
  /** Runs statements with the same values in one transaction. */
  inTransaction(name: string, texts: readonly string[], values: readonly unknown[]): Promise<void>;
  /** Runs statements that return rows, each with its own values, in one transaction, and returns the rows of each. */
  together(name: string, statements: readonly Asked[]): Promise<readonly (readonly object[])[]>;
  /** Like {@link inTransaction}, for a step of long work that can be repeated: a crash of the machine may take it back. */
  inStep(name: string, texts: readonly string[], values: readonly unknown[]): Promise<void>;
  /** Reads a page and counts the matches at the same moment. */
  page<Row extends object>(name: string, parts: PageParts, values: readonly unknown[]): Promise<HubPage<Row>>;
}

/** A row of a record: its fields, with times in milliseconds. */
export type RowOf<Of> = {
  readonly [Key in keyof Of]: Of[Key] extends Date ? number : Of[Key] extends Date | null ? number | null : Of[Key];
};

/** SQL that selects columns under the given names. */
export function selected(columns: Readonly<Record<string, string>>): string {
  return Object.entries(columns)
    .map(([name, column]) => `${column} AS "${name}"`)
    .join(", ");
}

/** JSON, parsed by the driver or not. */
export function parsed<Json extends object>(json: Json | string): Json {
  if (typeof json !== "string") {
    return json;
  }
  // Most have nothing in them.
  return json === "{}" ? ({} as Json) : (JSON.parse(json) as Json);
}

/** A condition on a value that may be missing. */
export type Filter = readonly [value: string | Date | undefined, condition: (parameter: string) => string];

/** The conditions whose values are given, as SQL to append to others. Their values are the parameters from $4 on. */
export function filteredBy(filters: readonly Filter[]): { readonly and: string; readonly values: readonly unknown[] } {
  const given = filters.filter(([value]) => value !== undefined);
  return { and: given.map(([, condition], index) => ` AND ${condition(`$${index + 4}`)}`).join(""), values: given.map(([value]) => value) };
}
