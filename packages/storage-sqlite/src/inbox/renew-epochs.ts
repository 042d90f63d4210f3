import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters } from "../schema.ts";
import { NEW_EPOCH } from "./new-epoch.ts";

/** Gives every inbox a new epoch. */
export function prepareRenewEpochs({ builder, prepare }: QueryContext) {
  const renew = prepare(builder.update(inboxCounters).set({ epoch: NEW_EPOCH }));
  return (): void => {
    renew.run({});
  };
}
