import { z } from "zod";
import { integer } from "../../http/parameters.ts";
import type { Reply } from "../../http/route.ts";
import type { HubPage } from "../../hub/index.ts";

/** The form of lists: bare arrays, or objects with the total. */
export type ListStyle = "arrays" | "wrapped";

/** The query parameters that select a part of a list. */
export const rangeQuery = {
  limit: integer({ min: 1, max: 100, description: "How many at the most" }).default(50),
  offset: integer({ min: 0, description: "How many to leave out" }).default(0),
};

/** Returns the schema of a list. */
export function listSchema<Item extends z.ZodType>(name: string, item: Item, lists: ListStyle) {
  const items = z.array(item);
  return lists === "arrays" ? items : z.object({ [name]: items, total: z.int(), limit: z.int(), offset: z.int() });
}

/** Renders a list in the contract's style. */
export function listReply<Item>(
  name: string,
  { items, total }: HubPage<Item>,
  { lists, limit, offset, render }: { lists: ListStyle; limit: number; offset: number; render(item: Item): unknown },
): Reply {
  const rendered = items.map(render);
  return { status: 200, json: lists === "arrays" ? rendered : { [name]: rendered, total, limit, offset } };
}
