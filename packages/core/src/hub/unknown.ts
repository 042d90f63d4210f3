import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { requireId } from "../foundation/issue-list.ts";
import { shown } from "../foundation/parse-text.ts";
import type { HubContext } from "./context.ts";

/** The id of something of a tenant, with a word for it. */
export interface Named {
  readonly what: "notification" | "handler" | "identity";
  readonly id: string;
}

/** Calls `find` with the id, in lower case. Throws `NOT_FOUND` where it finds nothing, and for an id that is no UUID. */
export async function found<Value>(
  context: HubContext,
  { what, id }: Named,
  find: (id: string) => Promise<Value | null | undefined | false>,
): Promise<Value> {
  requireId(id);
  using _call = await context.ready();
  const value = isUuid(id) && (await find(id.toLowerCase()));
  if (value === null || value === undefined || value === false) {
    throw new BelfryError("NOT_FOUND", `There is no ${what} ${shown(id)}.`);
  }
  return value;
}
