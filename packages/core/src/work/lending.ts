/** The turns of a worker for tasks that are still to be written: with its lease, so that they need not be claimed. */
export interface Lending<Task> {
  /** Whose lease it is. */
  readonly owner: string;
  /** Takes a task in hand, if it may begin now. It is performed then, or given up. */
  reserve(task: Task): boolean;
  /** Gives a task up that was not written so, as far as anybody knows. */
  giveUp(task: Task): void;
}

/** The lease that a task is to be written with. */
export interface GivenLease {
  readonly owner: string;
  readonly leaseMs: number;
}

/** A task that has a turn, and is being written with its lease, as claimed once. */
export interface ReservedTask {
  readonly lease: GivenLease;
  /** Begins it, after the commit. */
  begin(): void;
  /** Gives the turn back: it was not written so, as far as anybody knows. */
  giveUp(): void;
}
