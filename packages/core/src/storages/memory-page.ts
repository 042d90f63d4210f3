import type { HubRange } from "../hub-storage.ts";
import type { HubPage } from "../model/hub.ts";

/** The asked part of a list that is in order. */
export function page<Item>(items: readonly Item[], { offset, limit }: HubRange): HubPage<Item> {
  return { items: items.slice(offset, offset + limit), total: items.length };
}
