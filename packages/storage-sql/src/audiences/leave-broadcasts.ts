import type { BroadcastStorage } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { keepingDeleted } from "./deleted-users.ts";

/** The exceptions of a broadcast as the column keeps them. */
export function exceptText(except: readonly string[]): string | null {
  return except.length === 0 ? null : JSON.stringify(except);
}

interface ExceptRow {
  readonly pk: number;
  readonly id: string;
  readonly except: string;
}

/** Takes users out of broadcasts, and reads which ones name a user. */
export function leavingBroadcasts(sql: Sql): Pick<BroadcastStorage, "erase" | "export"> {
  const { broadcasts, notifications } = sql.tables;
  const naming = `SELECT b.pk, n.id, b.except_users AS "except" FROM ${broadcasts} b ${sql.join} ${notifications} n ON n.pk = b.notification_pk
    WHERE b.tenant = $1 AND ${sql.contains("b.except_users", "$2")} AND b.pk > $3 ORDER BY b.pk LIMIT $4`;
  const change = `UPDATE ${broadcasts} SET except_users = $3 WHERE pk = $1 AND except_users = $2 RETURNING pk`;
  const keepDeleted = keepingDeleted(sql);
  // As an element of a list in JSON, which nothing else in it looks like.
  const find = (tenant: string, userId: string, [after, limit]: readonly [number, number]) =>
    sql.rows<ExceptRow>("excepting_broadcasts", naming, [tenant, JSON.stringify(userId), after, limit]);
  return {
    async erase(owner, limit, at) {
      await keepDeleted(owner, at);
      const { tenant, userId } = owner;
      const rows = await find(tenant, userId, [0, limit]);
      for (const { pk, except } of rows) {
        const left = (JSON.parse(except) as readonly string[]).filter((one) => one !== userId);
        await sql.rows("change_exceptions", change, [pk, except, exceptText(left)]);
      }
      return { removed: rows.length, isDone: rows.length < limit };
    },
    async export({ tenant, userId }, { after, limit }) {
      const rows = await find(tenant, userId, [Number(after ?? 0), limit]);
      const last = rows.length < limit ? undefined : rows.at(-1);
      return { records: rows.map(({ id }) => ({ notificationId: id, userId })), next: last === undefined ? null : String(last.pk) };
    },
  };
}
