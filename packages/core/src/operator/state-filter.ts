import { addressesOf } from "../delivery/index.ts";
import type { StateFilter } from "./activity-storage.ts";
import type { OperatorContext } from "./context.ts";
import type { ActivityScope } from "./parse-filter.ts";

/** The filter of a search as a storage gets it: with the moment at which a state counts, and all names of a user. */
export async function stateFilter(
  context: Pick<OperatorContext, "channels" | "directory" | "clock" | "logger">,
  { tenant, filter: { user, ...filter } }: ActivityScope,
  at: Date,
): Promise<StateFilter> {
  const moment = filter.state === undefined ? {} : { at };
  const recipients = user === undefined ? {} : { recipients: [user, ...(await addressesOf(context, { tenant, userId: user }))] };
  return { ...filter, ...moment, ...recipients };
}
