/** Any value JSON can carry. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object, such as a notification's `data`. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** The result of one step of erasing. */
export interface ErasureStep {
  /** The number of rows that it removed or cleared of the user's data. */
  readonly removed: number;
  /** False if another step has to follow. */
  readonly isDone: boolean;
}

/** The rows that one step reads: those after the previous step. */
export interface StepRange {
  /** `next` of the step before; null begins at the start. */
  readonly after: string | null;
  /** How many rows it reads or removes at most, at least 1. It may look at more, which stay. */
  readonly limit: number;
}

/** The result of one step of a sweep. */
export interface SweepStep {
  /** The number of rows that it removed. */
  readonly removed: number;
  /** Where the next step goes on; null when this was the last one. Only the storage that made it can read it. */
  readonly next: string | null;
}

/** One step of an export. */
export interface ExportStep<Exported> extends Pick<SweepStep, "next"> {
  readonly records: readonly Exported[];
}
