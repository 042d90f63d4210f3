import type { ForEveryone, NewBroadcast } from "@belfry/core/storage";
import { exceptText, FIRST_PAGE, pageCursor } from "@belfry/storage-sql";
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

/** How a notification that is written goes to everyone. */
interface SendingBroadcast extends ForEveryone {
  readonly notification: NewBroadcast["notification"];
  /** Whether the host's users are to be read for other channels. */
  readonly isPaged: boolean;
}

/** Writes the row of a broadcast whose notification is written. Returns false if the transaction ended meanwhile, by its `mark`. */
export function prepareSendBroadcast(tables: TableNames) {
  const { notifications, broadcasts } = tables;
  const write = statement<[one: number]>(
    "send_broadcast",
    `WITH ${lockGuard("$9")},
    broadcast AS MATERIALIZED (
      SELECT n.pk, n.tenant, $3::boolean AS has_number FROM guard CROSS JOIN ${notifications} n
      WHERE guard.lock_timeout IS NOT NULL AND n.tenant = $1 AND n.id = $2
        AND ($10::text IS NULL OR $10 = current_setting('belfry.transaction', true))
    ),
    ${numberedText(tables)}
    INSERT INTO ${broadcasts} (tenant, notification_pk, number, due_at, at, is_standing, except_users, page_cursor)
    SELECT broadcast.tenant, broadcast.pk, numbered.newest, $4::timestamptz, $5::timestamptz, $6::boolean, $7::text, $8::text
    FROM broadcast LEFT JOIN numbered ON true RETURNING 1`,
  );
  return async (session: Session, sending: SendingBroadcast, mark: string | null): Promise<boolean> => {
    const { notification, hasItems, dueAt, isStanding, except, isPaged } = sending;
    const { tenant, id, createdAt } = notification;
    const values = [
      ...[tenant, id, hasItems && dueAt === null, hasItems ? (dueAt?.toISOString() ?? null) : null, (dueAt ?? createdAt).toISOString()],
      ...[isStanding, exceptText(except), isPaged ? pageCursor(FIRST_PAGE) : null, mark === null ? LOCK_TIMEOUT_MS : null, mark],
    ];
    return (await session.rows(write, values)).length > 0;
  };
}
