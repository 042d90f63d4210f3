import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { NEW_EPOCH } from "./new-epoch.ts";

/** Gives every inbox a new epoch. */
export function prepareRenewEpochs({ inboxCounters }: TableNames) {
  const renew = statement<[]>("renew_epochs", `UPDATE ${inboxCounters} SET epoch = ${NEW_EPOCH}`);
  return () =>
    async (session: Session): Promise<void> => {
      await session.rows(renew, []);
    };
}
