import type { JsonObject } from "../foundation/json.ts";

/** An event that a source pushed in: a notification of kind `event`. It has no recipient. */
export interface HubEvent {
  readonly id: string;
  readonly tenant: string;
  /** The service it came from. */
  readonly source: string;
  /** Who caused it there, by that service's own id. */
  readonly sender: string;
  readonly content: string;
  readonly metadata: JsonObject;
  readonly receivedAt: Date;
}

/** An event with its sender's current identity. */
export interface IdentifiedEvent extends HubEvent {
  readonly identity: { readonly id: string; readonly name: string } | null;
}

/** One person or thing, as one source knows it. Unique by source and id there. */
export interface Identity {
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  readonly sourceId: string;
  readonly name: string;
  readonly metadata: JsonObject;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A rule that processes events of a source whose metadata fits the filter. */
export interface Handler {
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  readonly prompt: string;
  /** See `model/filter.ts`; `{}` fits every event of the source. */
  readonly filter: JsonObject;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/**
 * The states of a processing record:
 *
 * ```
 * PENDING ──claimed──> PROCESSING ─┬─ done ──────────────────────────> COMPLETED
 *    ↑                             ├─ permanent, or out of attempts ─> FAILED
 *    └──── transient failure ──────┘
 *    └──── lease ran out (the worker was lost) ──> PENDING | FAILED
 * ```
 */
export type ProcessingStatus = "PENDING" | "PROCESSING" | "COMPLETED" | "FAILED";

/**
 * The processing of one event by one handler. It keeps the prompt from the time it was made, because the handler may change
 * or be deleted meanwhile.
 */
export interface ProcessingRecord {
  readonly id: string;
  readonly tenant: string;
  readonly notificationId: string;
  readonly handlerId: string;
  readonly prompt: string;
  readonly status: ProcessingStatus;
  readonly result: string | null;
  readonly error: string | null;
  /** How many attempts were begun. */
  readonly attempt: number;
  /** Tokens used by the attempt that completed, where the processor tells. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly createdAt: Date;
  /** When it was COMPLETED or FAILED; null before. */
  readonly completedAt: Date | null;
}

/** A record with the source of its event. */
export interface SourceRecord extends ProcessingRecord {
  readonly source: string;
}

/** A page of anything the hub lists, newest first. */
export interface HubPage<Item> {
  readonly items: readonly Item[];
  /** The number of matches, on this page or not. */
  readonly total: number;
}
