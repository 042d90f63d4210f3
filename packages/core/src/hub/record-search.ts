import type { SourceRecord } from "./hub-model.ts";

/** The states of processing records, as an operator sees them. */
export const RECORD_STATES = ["due", "running", "retrying", "completed", "failed"] as const;

/** A state of a processing record. One that is PENDING is `due`, or `retrying` after an attempt. */
export type RecordState = (typeof RECORD_STATES)[number];

/** The filter of a search for processing records. All given conditions must hold. */
export interface RecordFilter {
  readonly state?: RecordState;
  /** The source of its event. */
  readonly source?: string;
  /** The handler whose prompt it runs. */
  readonly handlerId?: string;
  /** A part of its error, with the letters A to Z in either case. */
  readonly error?: string;
  /** Made then or later; it is made when its event comes in. */
  readonly from?: Date;
  /** Made before then. */
  readonly before?: Date;
}

/** One line of a search for processing records, with its prompt and its event. */
export interface RecordSummary extends Omit<SourceRecord, "result"> {
  readonly state: RecordState;
  /** When its next attempt is due; null if none is. */
  readonly dueAt: Date | null;
  /** The first 500 characters (code points). */
  readonly prompt: string;
  /** Who caused its event. */
  readonly sender: string;
  /** The first 200 characters (code points) of its event's content. */
  readonly excerpt: string;
}

/** A place in a list of records: three numbers by which they are sorted, descending. */
export type RecordPlace = readonly [first: number, second: number, pk: number];

/** A part of a search for records. */
export interface RecordQuery extends RecordFilter {
  /** Where to look on; null for the newest. */
  readonly after: RecordPlace | null;
  readonly limit: number;
}

/** What a part of a search found. */
export interface RecordsFound {
  readonly records: readonly RecordSummary[];
  /** Where to look on; null if there is nothing more. */
  readonly next: RecordPlace | null;
}
