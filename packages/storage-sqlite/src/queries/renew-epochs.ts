import { sql } from "drizzle-orm";
import type { QueryContext } from "../query-context.ts";
import { inboxCounters } from "../schema.ts";

/** Gives every inbox a new epoch. */
export function prepareRenewEpochs({ builder, prepare }: QueryContext) {
  const renew = prepare<{ readonly epoch: string }>(builder.update(inboxCounters).set({ epoch: sql`${sql.placeholder("epoch")}` }));
  return (epoch: string): void => {
    renew.run({ epoch });
  };
}
