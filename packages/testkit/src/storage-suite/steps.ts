import type { ErasureStep, ExportStep, SweepStep } from "@belfry/core/storage";

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
