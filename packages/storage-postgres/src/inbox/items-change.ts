import type { ItemRef, Owner } from "@belfry/core";
import type { ItemsChange } from "@belfry/core/storage";
import { COUNTS_WIDTH, type CountsRow, toCounts } from "./inbox-state.ts";
import { inOrderOf } from "./item-refs.ts";
import { isItemRow, type MaybeItemRow, toItem } from "./item-row.ts";

/** What a change of named items answers with: a row for each item that was there, one without an item if none was. */
export type ItemsChangeRow = readonly [isCurrent: boolean, ...CountsRow, isChanged: boolean | null, ...MaybeItemRow];

const CHANGED = 1 + COUNTS_WIDTH;

/** What a change did, of its rows; no row is the change of an inbox that never had an item. */
export function toItemsChange(rows: readonly ItemsChangeRow[], owner: Owner, refs: readonly ItemRef[]): ItemsChange {
  const found = rows.flatMap((row) => {
    const item = row.slice(CHANGED + 1) as MaybeItemRow;
    return isItemRow(item) ? [{ item: toItem(item, owner), isChanged: row[CHANGED] === true }] : [];
  });
  return {
    items: inOrderOf(
      refs,
      found.map(({ item }) => item),
    ),
    changed: new Set(found.filter(({ isChanged }) => isChanged).map(({ item }) => item.seq)),
    counts: toCounts(rows[0]?.slice(1) as CountsRow | undefined),
  };
}
