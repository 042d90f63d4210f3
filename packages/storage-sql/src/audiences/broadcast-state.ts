import { isUuid } from "@belfry/core";
import type { ActivityStorage } from "@belfry/core/storage";
import type { Dialect, Sql, Tables } from "../database/sql.ts";
import { hasUnwritten, waitingSince } from "./page-broadcasts.ts";

/** Which broadcasts `b` end, and when, in SQL. */
interface Ending {
  readonly which: string;
  readonly at: string;
}

/** The statement that keeps what is told of broadcasts after their end. It comes before their rows go. */
export function keepEnded(sql: Pick<Dialect, "asJson"> & { readonly tables: Tables }, { which, at }: Ending): string {
  const { broadcasts, endedBroadcasts } = sql.tables;
  return `INSERT INTO ${endedBroadcasts} (${ENDED_COLUMNS}) SELECT ${endedColumns(sql, at)} FROM ${broadcasts} b WHERE ${which}
    ON CONFLICT (notification_pk) DO NOTHING`;
}

/** The columns of what is kept of a broadcast that ended. */
export const ENDED_COLUMNS = "notification_pk, at, ended_at, is_standing, except_count";

/** The values of {@link ENDED_COLUMNS} for a broadcast `b` that ends at a time. */
export function endedColumns(sql: Pick<Dialect, "asJson">, at: string): string {
  return `b.notification_pk, b.at, ${at}, b.is_standing, ${exceptCount(sql)}`;
}

function exceptCount({ asJson }: Pick<Dialect, "asJson">): string {
  return `coalesce(json_array_length(${asJson("b.except_users")}), 0)`;
}

interface StateRow {
  readonly at: number;
  readonly endedAt: number | null;
  readonly isScheduled: boolean | number;
  readonly isStanding: boolean | number;
  readonly pageCursor: string | null;
  readonly exceptCount: number;
}

/** Reads how broadcasts stand. */
export function broadcastOf(sql: Sql): Pick<ActivityStorage, "broadcastOf"> {
  const { broadcasts, endedBroadcasts, notifications } = sql.tables;
  const nowText = sql.cast("$3", "timestamptz");
  const find = `SELECT ${sql.milliseconds("coalesce(b.at, e.at)")} AS "at",
      ${sql.milliseconds(`coalesce(e.ended_at, CASE WHEN n.expires_at <= ${nowText} THEN n.expires_at END)`)} AS "endedAt",
      coalesce(b.due_at IS NOT NULL OR b.at > ${nowText}, false) AS "isScheduled", coalesce(b.is_standing, e.is_standing) AS "isStanding",
      b.page_cursor AS "pageCursor", coalesce(e.except_count, ${exceptCount(sql)}) AS "exceptCount"
    FROM ${notifications} n LEFT JOIN ${broadcasts} b ON b.notification_pk = n.pk LEFT JOIN ${endedBroadcasts} e ON e.notification_pk = n.pk
    WHERE n.tenant = $1 AND n.id = $2 AND (b.pk IS NOT NULL OR e.notification_pk IS NOT NULL)`;
  const unwritten = `SELECT b.pk FROM ${notifications} n ${sql.join} ${broadcasts} b ON b.notification_pk = n.pk
    WHERE n.tenant = $1 AND n.id = $2 AND ${hasUnwritten(sql, 0)}`;
  /** Users wait for nobody as long as those before them are still written. */
  const waitsSince = async ({ pageCursor, isScheduled, at }: StateRow, of: readonly [tenant: string, id: string], now: Date) => {
    const since = pageCursor === null || isScheduled ? null : waitingSince(pageCursor, at, now.getTime());
    return since === null || (await sql.rows("unwritten_broadcast", unwritten, of)).length > 0 ? null : since;
  };
  return {
    async broadcastOf(tenant, id, at) {
      const [row] = isUuid(id) ? await sql.rows<StateRow>("broadcast_of", find, [tenant, id.toLowerCase(), at]) : [];
      if (row === undefined) {
        return null;
      }
      const { endedAt, isScheduled, isStanding, pageCursor, exceptCount: count } = row;
      const going = isScheduled ? "scheduled" : "sent";
      return {
        state: endedAt === null ? going : "ended",
        at: new Date(row.at),
        endedAt: endedAt === null ? null : new Date(endedAt),
        isStanding: Boolean(isStanding),
        exceptCount: count,
        isReadingUsers: pageCursor !== null,
        usersWaitSince: await waitsSince(row, [tenant, id.toLowerCase()], at),
      };
    },
  };
}
