/** What one step of erasing did. */
export interface ErasureStep {
  /** How many rows it removed or emptied of the user. */
  readonly removed: number;
  /** False if another step has to follow. */
  readonly isDone: boolean;
}

/** Which rows a step of a walk looks at: those behind the step before. */
export interface StepRange {
  /** `next` of the step before; null begins at the start. */
  readonly after: string | null;
  /** How many rows it looks at, at least 1. */
  readonly limit: number;
}

/** One step of an export. */
export interface ExportStep<Exported> {
  readonly records: readonly Exported[];
  /** Where the next step goes on; null when this was the last one. Only the storage that made it can read it. */
  readonly next: string | null;
}

/** What one step of a sweep did. */
export interface SweepStep {
  /** How many of the rows that it looked at it removed. */
  readonly removed: number;
  /** Where the next step goes on; null when this was the last one. Only the storage that made it can read it. */
  readonly next: string | null;
}
