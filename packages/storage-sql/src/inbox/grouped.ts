import type { CreatedItem, Notification } from "@belfry/core";
import type { GroupSummary } from "@belfry/core/storage";

/** What puts new items into groups, and in the place of others. */
export type Grouped = Pick<Notification, "group" | "replaceKey" | "actor">;

/** Whether new items of a notification change more than themselves. */
export function isGrouped({ group, replaceKey }: Pick<Notification, "group" | "replaceKey">): boolean {
  return group !== null || replaceKey !== null;
}

/** A new item with what it changed beside itself. */
export function withAlso(item: CreatedItem, also: CreatedItem["also"] = []): CreatedItem {
  return also.length === 0 ? item : { ...item, also };
}

/** How many snoozed items of a group a new one wakes in its own transaction. Those that are left are due from then on. */
export const WOKEN_AT_ONCE = 100;

/** How many actors a group names. */
const NAMED_ACTORS = 3;
/** How many actors a group knows, to count them. */
export const MOST_ACTORS = 50;

/** The first actors of a group, after items of these actors came; null stands for nobody. */
export function firstActors(before: readonly string[], came: readonly (string | null)[]): readonly string[] {
  return [...new Set([...before, ...came.filter((actor) => actor !== null)])].slice(0, MOST_ACTORS);
}

/** The actors of a group as it shows them, of those that its row keeps. */
export function shownActors(kept: string): Pick<GroupSummary, "actors" | "actorCount"> {
  const all = JSON.parse(kept) as readonly string[];
  return { actors: all.slice(0, NAMED_ACTORS), actorCount: all.length };
}
