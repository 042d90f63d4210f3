import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { requireId } from "../foundation/issue-list.ts";
import { shown } from "../foundation/parse-text.ts";

/** The error for an id that names nothing of the tenant. */
export function unknown(what: string, id: string): BelfryError {
  return new BelfryError("NOT_FOUND", `There is no ${what} ${shown(id)}.`);
}

/** Looks something up by its id. Throws `NOT_FOUND`, also for an id that is no UUID. */
export async function found<Value>(what: string, id: string, find: (id: string) => Promise<Value | null | undefined>): Promise<Value> {
  requireId(id);
  const value = isUuid(id) ? await find(id.toLowerCase()) : null;
  if (value === null || value === undefined) {
    throw unknown(what, id);
  }
  return value;
}
