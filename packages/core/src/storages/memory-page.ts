import type { HubPage, HubRange } from "../hub/index.ts";

/** The asked part of a list that is in order. */
export function page<Item>(items: readonly Item[], { offset, limit }: HubRange): HubPage<Item> {
  return { items: items.slice(offset, offset + limit), total: items.length };
}
