import type { CreatedItem } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import type { QueryContext } from "../database/query-context.ts";
import { prepareWriteEntry } from "./write-entry.ts";

/** Writes several notifications with their items. */
export function prepareCreateMany(context: QueryContext) {
  const writeEntry = prepareWriteEntry(context);
  return (entries: readonly NewNotification[]): readonly (readonly CreatedItem[])[] => entries.map((entry) => writeEntry(entry).items);
}
