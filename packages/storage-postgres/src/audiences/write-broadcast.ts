import type { NewBroadcast } from "@belfry/core/storage";
import { exceptText } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { LOCK_TIMEOUT_MS, lockGuard } from "../inbox/inbox-state.ts";
import { NOTIFICATION_FIELDS } from "../inbox/item-row.ts";

/** Gives a tenant's next number to each row of `broadcast`; its lock orders the numbers by their commits. */
function numberedText({ broadcastNumbers }: TableNames): string {
  return `numbered AS (
    INSERT INTO ${broadcastNumbers} AS b (tenant, newest) SELECT tenant, 1 FROM broadcast WHERE has_number
    ON CONFLICT (tenant) DO UPDATE SET newest = b.newest + 1 RETURNING newest
  )`;
}

/**
 * Writes a broadcast to inboxes alone, in one statement. Returns false, and writes nothing, if its notification is there, or if the
 * transaction ended meanwhile, by its `mark`.
 */
export function prepareWriteBroadcast(tables: TableNames) {
  const { notifications, broadcasts } = tables;
  const { all, names, typed } = NOTIFICATION_FIELDS;
  const [tenant, at] = [NOTIFICATION_FIELDS.parameter("tenant"), NOTIFICATION_FIELDS.parameter("createdAt")];
  const [standing, except, lockTimeout, mark] = [1, 2, 3, 4].map((more) => `$${all.length + more}` as const);
  const write = statement<[one: number]>(
    "write_broadcast",
    `WITH ${lockGuard(lockTimeout as `$${number}`)},
    broadcast AS (
      INSERT INTO ${notifications} (${names}) SELECT ${typed} FROM guard
      WHERE guard.lock_timeout IS NOT NULL AND (${mark}::text IS NULL OR ${mark} = current_setting('belfry.transaction', true))
      ON CONFLICT (tenant, id) DO NOTHING RETURNING pk, tenant, true AS has_number
    ),
    ${numberedText(tables)}
    INSERT INTO ${broadcasts} (tenant, notification_pk, number, at, is_standing, except_users)
    SELECT ${tenant}, broadcast.pk, numbered.newest, ${at}::timestamptz, ${standing}::boolean, ${except}::text FROM broadcast CROSS JOIN numbered
    RETURNING 1`,
  );
  return async (session: Session, broadcast: NewBroadcast, mark: string | null = null): Promise<boolean> => {
    const { notification, isStanding, except } = broadcast;
    const values = [
      ...NOTIFICATION_FIELDS.values(notification),
      isStanding,
      exceptText(except),
      mark === null ? LOCK_TIMEOUT_MS : null,
      mark,
    ];
    return (await session.rows(write, values)).length > 0;
  };
}
