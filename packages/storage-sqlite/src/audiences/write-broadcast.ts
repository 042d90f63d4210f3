import type { ForEveryone, NewBroadcast } from "@belfry/core/storage";
import { exceptText, FIRST_PAGE, pageCursor } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteNotification } from "../inbox/write-items.ts";

/** How a broadcast goes out. */
interface SendingBroadcast extends ForEveryone {
  readonly tenant: string;
  readonly notificationPk: number;
  readonly createdAt: Date;
  /** Whether the host's users are to be read for other channels. */
  readonly isPaged: boolean;
}

/** Writes the row of a broadcast whose notification is written. */
export function prepareSendBroadcast({ prepare, prepareRows }: QueryContext) {
  const number = prepareRows<{ readonly tenant: string }, readonly [newest: number]>(`
    INSERT INTO belfry_broadcast_numbers (tenant, newest) VALUES (:tenant, 1) ON CONFLICT (tenant) DO UPDATE SET newest = newest + 1
    RETURNING newest`);
  const insert = prepare<
    Omit<SendingBroadcast, "except" | "hasItems" | "isPaged" | "createdAt"> & {
      readonly number: number | null;
      readonly at: Date;
      readonly exceptUsers: string | null;
      readonly pageCursor: string | null;
    }
  >(`
    INSERT INTO belfry_broadcasts (tenant, notification_pk, number, due_at, at, is_standing, except_users, page_cursor)
    VALUES (:tenant, :notificationPk, :number, :dueAt, :at, :isStanding, :exceptUsers, :pageCursor)`);
  return ({ except, hasItems, isPaged, createdAt, ...sending }: SendingBroadcast): void => {
    const { tenant, dueAt } = sending;
    const [newest = null] = hasItems && dueAt === null ? (number.get({ tenant }) ?? []) : [];
    insert.run({
      ...sending,
      number: newest,
      at: dueAt ?? createdAt,
      dueAt: hasItems ? dueAt : null,
      exceptUsers: exceptText(except),
      pageCursor: isPaged ? pageCursor(FIRST_PAGE) : null,
    });
  };
}

/** Writes a broadcast to inboxes alone. Returns false if its notification was there. */
export function prepareWriteBroadcast(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const send = prepareSendBroadcast(context);
  return ({ notification, isStanding, except }: NewBroadcast): boolean => {
    const { tenant, createdAt } = notification;
    const { pk: notificationPk, isNew } = writeNotification(notification);
    if (isNew) {
      send({ tenant, notificationPk, createdAt, isStanding, except, hasItems: true, dueAt: null, isPaged: false });
    }
    return isNew;
  };
}
