import type { Owner } from "@belfry/core";
import type { Connection } from "../database/connection.ts";
import { type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { heldInbox } from "./held-inbox.ts";

/** A row of a statement over the held inbox, which did nothing unless it is current. */
export type ChangeRow = readonly [isCurrent: boolean, ...rest: readonly unknown[]];

/**
 * Runs statements that change items of an inbox. One statement is enough unless the inbox changed while the statement
 * waited for its lock; then the lock is taken by a statement before it.
 */
export function prepareChangeInbox(tables: TableNames) {
  const hold = statement<[]>("hold_inbox", `WITH ${heldInbox(tables)} SELECT FROM inbox`);
  return async <Row extends ChangeRow>(
    connection: Connection,
    { tenant, userId }: Owner,
    { run, values }: { readonly run: Statement<Row>; readonly values: readonly unknown[] },
  ): Promise<readonly Row[]> => {
    const all = [tenant, userId, ...values];
    const rows = await connection.rows(run, all);
    const [first] = rows;
    if (first === undefined || first[0]) {
      return rows;
    }
    return connection.transaction(async (session) => {
      await session.rows(hold, [tenant, userId]);
      return session.rows(run, all);
    });
  };
}
