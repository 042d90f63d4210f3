import { type InboxItem, type ItemRef, isUuid } from "@belfry/core";

/** Item refs by their kind. Refs that can name nothing are left out, as PostgreSQL would refuse them. */
export interface SplitRefs {
  readonly ids: readonly string[];
  readonly seqs: readonly number[];
}

export function splitRefs(refs: readonly ItemRef[]): SplitRefs {
  const ids: string[] = [];
  const seqs: number[] = [];
  for (const ref of refs) {
    if (typeof ref !== "string") {
      if (Number.isSafeInteger(ref.seq)) {
        seqs.push(ref.seq);
      }
    } else if (isUuid(ref)) {
      ids.push(ref);
    }
  }
  return { ids, seqs };
}

/** The items in the order of the refs that name them, each once. */
export function inOrderOf(refs: readonly ItemRef[], items: readonly InboxItem[]): readonly InboxItem[] {
  const byRef = new Map<string | number, InboxItem>(
    items.flatMap(
      (item) =>
        [
          [item.id, item],
          [item.seq, item],
        ] as const,
    ),
  );
  const named = refs.map((ref) => byRef.get(typeof ref === "string" ? ref.toLowerCase() : ref.seq));
  return [...new Set(named.filter((item) => item !== undefined))];
}
