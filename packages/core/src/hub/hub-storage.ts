import type { PageBounds } from "../foundation/bounds.ts";
import type { JsonObject, StepRange, SweepStep } from "../foundation/json.ts";
import type { Lease, NamedLeaseStorage } from "../work/lease-storage.ts";
import type {
  Handler,
  HubEvent,
  HubPage,
  IdentifiedEvent,
  Identity,
  ProcessingRecord,
  ProcessingStatus,
  SourceRecord,
} from "./hub-model.ts";
import type { RecordQuery, RecordsFound } from "./record-search.ts";

/** Which part of a list to read. */
export interface HubRange {
  readonly limit: number;
  readonly offset: number;
}

/** A place in the history of a source: a time, and how far those of that very time were read. */
export interface HistoryPosition {
  readonly since: Date;
  /** @default 0: none of them was read */
  readonly after?: number;
}

/** A part of the history of a source, oldest first. */
export interface HistoryPage<Item> {
  readonly items: readonly Item[];
  /** Where to read on; null if there may be nothing more. */
  readonly next: HistoryPosition | null;
}

/** A record to be written with its event. */
export type NewProcessingRecord = Pick<ProcessingRecord, "id" | "handlerId" | "prompt">;

/**
 * Decides, without effects, which handlers of an event's source take it on. Pass the same list for all events of a source that are
 * written together: what is made of it is kept.
 */
export type PlanProcessing = (event: HubEvent, handlers: readonly Handler[]) => readonly NewProcessingRecord[];

/** A record that a worker has leased, with the data to process. */
export interface ClaimedRecord {
  /** As it is after the claim: PROCESSING, its attempt counted. */
  readonly record: ProcessingRecord;
  readonly fence: number;
  readonly event: IdentifiedEvent;
}

/** The result of an attempt at a record. */
export interface EndedRecord extends Lease, Pick<ProcessingRecord, "result" | "error" | "inputTokens" | "outputTokens"> {
  readonly status: Exclude<ProcessingStatus, "PROCESSING">;
  /** For PENDING: the milliseconds until it is due again. */
  readonly dueInMs: number | null;
  /** Of a lease that was lost: when it ran out. If its holder has renewed it since, nothing is ended. */
  readonly lostAt?: Date;
  /** The record as it was claimed under this lease, if the caller has it: then the storage need not read it again. */
  readonly claimed?: ClaimedRecord;
}

/**
 * The hub's part of a storage. As in the other parts, every method is one transaction, carries the tenant wherever a
 * caller has one, and calls at once give the same result as some order of them. `at` is the service's time; see
 * `DeliveryStorage` for storages with a clock of their own.
 */
export interface HubStorage {
  /**
   * Writes events, as notifications of kind `event` (`content` is the message, `metadata` the data), each with the
   * records that `plan` makes of it and its source's handlers as they are in this transaction. All or nothing. An event
   * whose id exists writes nothing and is answered with the records it has. The records are due at once.
   */
  createEvents(events: readonly HubEvent[], plan: PlanProcessing): Promise<readonly (readonly ProcessingRecord[])[]>;
  /**
   * Events of these ids that the tenant has, in any order, with their senders' identities: those that begin within the first
   * `bytes` of them, at least one if there is any. @param bytes @default all of them
   */
  findEvents(tenant: string, ids: readonly string[], bytes?: number): Promise<readonly IdentifiedEvent[]>;
  listEvents(tenant: string, query: HubRange & { readonly source?: string; readonly sender?: string }): Promise<HubPage<IdentifiedEvent>>;
  /** Events of one source from a position on: those that a subscriber may have missed. */
  listEventsSince(tenant: string, source: string, range: HistoryPosition & PageBounds): Promise<HistoryPage<HubEvent>>;
  /** The records of an event in the order of their creation; empty when the tenant has no such event. */
  recordsOf(tenant: string, notificationId: string): Promise<readonly ProcessingRecord[]>;
  /** Records of these ids that the tenant has, in any order; `bytes` as for {@link findEvents}. */
  findRecords(tenant: string, ids: readonly string[], bytes?: number): Promise<readonly ProcessingRecord[]>;
  /**
   * Looks at some records in a state, or in all of them: at up to 1,000, from a place on, and returns up to `limit` of those that match. Those that are
   * due, running, retrying or failed come newest first by themselves, others in the order of their events.
   */
  searchRecords(tenant: string, query: RecordQuery): Promise<RecordsFound>;
  /** Makes a record due now, with all its attempts before it, that failed or waits for another attempt. False if it is neither, or unknown. */
  retryRecord(tenant: string, id: string): Promise<boolean>;
  /** Records of one source's events that settled, from a position on. */
  listSettledSince(tenant: string, source: string, range: HistoryPosition & PageBounds): Promise<HistoryPage<SourceRecord>>;
  /**
   * Notes that `client` acknowledged the event. A repeated call keeps the first time. Returns false when the tenant has no
   * such event.
   */
  acknowledgeEvent(tenant: string, notificationId: string, by: { readonly client: string; readonly at: Date }): Promise<boolean>;

  /**
   * Writes an identity, or updates the one of the same source and id there: its name, its metadata unless that is null,
   * and its time of change. Answers it as it is then, and whether it is new.
   */
  upsertIdentity(
    identity: Omit<Identity, "metadata"> & { readonly metadata: JsonObject | null },
  ): Promise<{ readonly identity: Identity; readonly isNew: boolean }>;
  findIdentity(tenant: string, id: string): Promise<Identity | null>;
  findIdentityBySource(tenant: string, source: string, sourceId: string): Promise<Identity | null>;
  /** `name` is a literal part of the name, in any case (as Unicode's simple case folding has it, or lower-casing). */
  listIdentities(tenant: string, query: HubRange & { readonly name?: string; readonly source?: string }): Promise<HubPage<Identity>>;

  /** Deletes an identity; its sender's events stay. False when the tenant has none of that id. */
  deleteIdentity(tenant: string, id: string): Promise<boolean>;

  createHandler(handler: Handler): Promise<void>;
  findHandler(tenant: string, id: string): Promise<Handler | null>;
  listHandlers(tenant: string, query: HubRange & { readonly source?: string }): Promise<HubPage<Handler>>;
  /** Changes the given members and returns the changed handler, or null when the tenant has no such id. */
  updateHandler(
    tenant: string,
    id: string,
    change: { readonly source?: string; readonly prompt?: string; readonly filter?: JsonObject; readonly at: Date },
  ): Promise<Handler | null>;
  /** Deletes a handler; its records stay. False when the tenant has none of that id. */
  deleteHandler(tenant: string, id: string): Promise<boolean>;

  /** Leases of records. One that is PENDING becomes PROCESSING when it is claimed. */
  readonly leases: NamedLeaseStorage<ClaimedRecord>;

  /**
   * Ends those of the attempts whose lease `owner` still holds, and answers those records as they are then. PENDING without an
   * error keeps the one of the attempt before.
   */
  endRecords(owner: string, ended: readonly EndedRecord[], at: Date): Promise<readonly SourceRecord[]>;

  /**
   * Looks at events of all tenants, oldest first, and removes those that were received before `before` and have no record
   * left to process, each with its records and acknowledgements. The walk ends at the first step whose last event is not
   * that old. There is no `erase` or `export` beside it: senders and clients are names that sources give, not users.
   */
  sweep(before: Date, range: StepRange): Promise<SweepStep>;
}
