import type { Owner } from "@belfry/core";
import type {
  Deletion,
  DeletionStep,
  ErasureStep,
  ExportStep,
  InboxStorage,
  MatchingChange,
  MatchingStep,
  Storage,
  SweepStep,
} from "@belfry/core/storage";

/** Erases step by step, with a look after each, and answers how many rows went. */
export async function eraseAll(step: () => Promise<ErasureStep>, look: () => Promise<unknown> = async () => undefined): Promise<number> {
  for (let removed = 0; ; ) {
    const done = await step();
    removed += done.removed;
    await look();
    if (done.isDone) {
      return removed;
    }
  }
}

/** Exports step by step, and answers with the steps' records. */
export async function exportAll<Exported>(
  step: (after: string | null) => Promise<ExportStep<Exported>>,
): Promise<readonly (readonly Exported[])[]> {
  const pages: (readonly Exported[])[] = [];
  for (let after: string | null = null; ; ) {
    const { records, next } = await step(after);
    pages.push(records);
    if (next === null) {
      return pages;
    }
    after = next;
  }
}

/** Sweeps step by step, with a look after each, and answers how many rows went. */
export async function sweepAll(
  step: (after: string | null) => Promise<SweepStep>,
  look: () => Promise<unknown> = async () => undefined,
): Promise<number> {
  let removed = 0;
  for (let after: string | null = null; ; ) {
    const done = await step(after);
    removed += done.removed;
    await look();
    if (done.next === null) {
      return removed;
    }
    after = done.next;
  }
}

/** Deletes a send step by step, and answers the items that inboxes showed; null if there is no such send. */
export async function deleteSend(
  { activity }: Pick<Storage, "activity">,
  of: { readonly tenant: string; readonly id: string },
  by: Pick<Deletion, "at" | "actor">,
): Promise<DeletionStep["items"] | null> {
  const shown: DeletionStep["items"][number][] = [];
  for (let isFirst = true; ; isFirst = false) {
    const step = await activity.deleteNotification(of.tenant, of.id, { ...by, limit: 1_000, only: "tracked" });
    if (step === null && isFirst) {
      return null;
    }
    shown.push(...(step?.items ?? []));
    if (step?.isDone ?? true) {
      return shown;
    }
  }
}

/** A change that was made in steps. */
export interface SteppedChange extends Pick<MatchingChange, "count" | "changed" | "counts"> {
  /** How many of the steps changed something: each has a number of its own. */
  readonly revs: number;
}

/** Changes what matches in an inbox step by step. */
export async function changeMatching(
  inbox: Pick<InboxStorage, "changeMatching">,
  owner: Owner,
  { after: first, ...step }: MatchingStep,
): Promise<SteppedChange> {
  let [count, changed, revs] = [0, 0, 0];
  for (let [after, continues]: [number, number | undefined] = [first, undefined]; ; ) {
    const done = await inbox.changeMatching(owner, { ...step, after, ...(continues === undefined ? {} : { continues }) });
    count += done.count;
    changed += done.changed;
    revs += Number(done.changed > 0);
    if (done.next === null) {
      return { count, changed, counts: done.counts, revs };
    }
    [after, continues] = [done.next, done.counts.rev];
  }
}

/** Deletes what is read in an inbox step by step, and answers how many items went, and the counts after that. */
export async function removeRead(inbox: Pick<InboxStorage, "changeMatching">, owner: Owner, at: Date): Promise<SteppedChange> {
  const upTo = Number.MAX_SAFE_INTEGER;
  return await changeMatching(inbox, owner, { mark: "deleted_read", at, places: ["active"], filter: {}, after: 0, upTo });
}
