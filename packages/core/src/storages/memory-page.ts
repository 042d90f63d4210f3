import type { HubPage } from "../hub/hub-model.ts";
import type { HubRange } from "../hub/hub-storage.ts";

/** The asked part of a list that is in order. */
export function page<Item>(items: readonly Item[], { offset, limit }: HubRange): HubPage<Item> {
  return { items: items.slice(offset, offset + limit), total: items.length };
}
