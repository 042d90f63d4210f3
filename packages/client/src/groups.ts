import type { Counts, Item } from "./item.ts";

/** Which groups to list. */
export interface GroupsInput {
  /** `unread`: those with unread items. @default "all" */
  readonly status?: "all" | "unread";
  /** 1 to 100 groups. @default 20 */
  readonly limit?: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** The active items of one group. */
export interface Group<Shown extends Item = Item> {
  readonly group: string;
  readonly total: number;
  readonly unread: number;
  readonly newest: Shown;
  /** The first three. */
  readonly actors: readonly string[];
  /** 50 stands for 50 or more. */
  readonly actorCount: number;
}

/** One page of groups, the one with the newest item first. */
export interface GroupsPage<Shown extends Item = Item> {
  readonly groups: readonly Group<Shown>[];
  /** Leads to the next page; null at the end. */
  readonly nextCursor: string | null;
  readonly counts: Counts;
}
