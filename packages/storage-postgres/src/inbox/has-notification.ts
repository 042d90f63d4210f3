import type { Notification } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Looks whether a notification is there. */
export function prepareHasNotification({ notifications }: TableNames) {
  const find = statement<[number]>("has_notification", `SELECT 1 FROM ${notifications} WHERE tenant = $1 AND id = $2`);
  return async (session: Session, { tenant, id }: Pick<Notification, "tenant" | "id">): Promise<boolean> =>
    (await session.rows(find, [tenant, id])).length > 0;
}
