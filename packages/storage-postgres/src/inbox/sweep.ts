import type { StepRange, SweepStep } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareDropNotifications } from "./drop-notifications.ts";
import { LOCK_TIMEOUT_MS, lockGuard } from "./held-inbox.ts";
import { isRead } from "./item-row.ts";

type Key = readonly [tenant: string, userId: string, seq: number];

/** Looks at items of all inboxes in the order of their keys, and removes those whose time is over. */
export function prepareSweep(tables: TableNames) {
  const dropNotifications = prepareDropNotifications(tables);
  const lookAt = statement<Key>(
    "look_at_items",
    `SELECT tenant, user_id, seq FROM ${tables.inboxItems} WHERE (tenant, user_id, seq) > ($1, $2, $3)
    ORDER BY tenant, user_id, seq LIMIT $4`,
  );
  const hold = statement<[]>("hold_inboxes", holdText(tables));
  const drop = statement<readonly [notificationPk: number]>("sweep_items", dropText(tables));
  return (before: Date, { after, limit }: StepRange) =>
    async (session: Session): Promise<SweepStep> => {
      const rows = await session.rows(lookAt, [...(after === null ? ["", "", 0] : (JSON.parse(after) as Key)), limit]);
      const keys = [0, 1, 2].map((column) => rows.map((row) => row[column]));
      await session.rows(hold, keys.slice(0, 2));
      const pks = (await session.rows(drop, [...keys, before.toISOString()])).map(([pk]) => pk);
      await dropNotifications(session, [...new Set(pks)]);
      const last = rows.length < limit ? undefined : rows.at(-1);
      return { removed: pks.length, next: last === undefined ? null : JSON.stringify(last) };
    };
}

/** $1 tenants, $2 users: holds the counts of their inboxes, in the order of their keys, as writes do. */
function holdText({ inboxCounters }: TableNames): string {
  return `WITH ${lockGuard(LOCK_TIMEOUT_MS)}
  SELECT FROM guard CROSS JOIN LATERAL (
    SELECT FROM ${inboxCounters} WHERE guard.lock_timeout IS NOT NULL
      AND (tenant, user_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
    ORDER BY tenant, user_id FOR NO KEY UPDATE
  ) c`;
}

/** $1 tenants, $2 users, $3 numbers of the items, $4 before when they came. */
function dropText({ inboxCounters, inboxItems }: TableNames): string {
  return `WITH over AS MATERIALIZED (
    SELECT i.tenant, i.user_id, i.seq, i.notification_pk, i.deleted_at IS NULL AS is_shown
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS k(tenant, user_id, seq)
    JOIN ${inboxItems} i ON i.tenant = k.tenant AND i.user_id = k.user_id AND i.seq = k.seq
    JOIN ${inboxCounters} inbox ON inbox.tenant = i.tenant AND inbox.user_id = i.user_id
    WHERE i.created_at < $4::timestamptz AND i.seq < inbox.last_seq AND (i.deleted_at IS NOT NULL OR ${isRead("inbox")})
  ),
  dropped AS (DELETE FROM ${inboxItems} i USING over WHERE i.tenant = over.tenant AND i.user_id = over.user_id AND i.seq = over.seq),
  counted AS (
    UPDATE ${inboxCounters} c SET total = c.total - tally.shown, rev = c.rev + 1
    FROM (SELECT tenant, user_id, count(*) AS shown FROM over WHERE is_shown GROUP BY tenant, user_id) tally
    WHERE c.tenant = tally.tenant AND c.user_id = tally.user_id
  )
  SELECT notification_pk FROM over`;
}
