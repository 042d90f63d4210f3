import type { BroadcastTerms, NewBroadcast } from "@belfry/core/storage";
import { exceptText, pageCursor } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteNotification } from "../inbox/write-items.ts";

/** How a broadcast goes out. */
export interface SendingBroadcast extends BroadcastTerms {
  readonly tenant: string;
  readonly notificationPk: number;
  /** When it went out, or will. */
  readonly at: Date;
  /** Whether it goes to inboxes: then it has a number, or gets one when it is due. */
  readonly hasItems: boolean;
  readonly isDue: boolean;
  /** Whether the host's users are to be read for other channels. */
  readonly isPaged: boolean;
}

/** Writes the row of a broadcast whose notification is written. */
export function prepareSendBroadcast({ prepare, prepareRows }: QueryContext) {
  const number = prepareRows<{ readonly tenant: string }, readonly [newest: number]>(`
    INSERT INTO belfry_broadcast_numbers (tenant, newest) VALUES (:tenant, 1) ON CONFLICT (tenant) DO UPDATE SET newest = newest + 1
    RETURNING newest`);
  const insert = prepare<
    Omit<SendingBroadcast, "except"> & {
      readonly number: number | null;
      readonly dueAt: Date | null;
      readonly exceptUsers: string | null;
      readonly pageCursor: string | null;
    }
  >(`
    INSERT INTO belfry_broadcasts (tenant, notification_pk, number, due_at, at, is_standing, except_users, page_cursor)
    VALUES (:tenant, :notificationPk, :number, :dueAt, :at, :isStanding, :exceptUsers, :pageCursor)`);
  return ({ except, ...sending }: SendingBroadcast): void => {
    const { hasItems, isDue, isPaged, tenant, at } = sending;
    const [newest = null] = hasItems && isDue ? (number.get({ tenant }) ?? []) : [];
    const first = { cursor: null, place: 0 };
    const more = {
      number: newest,
      dueAt: hasItems && !isDue ? at : null,
      exceptUsers: exceptText(except),
      pageCursor: isPaged ? pageCursor(first) : null,
    };
    insert.run({ ...sending, ...more });
  };
}

/** Writes a broadcast to inboxes alone. Returns false if its notification was there. */
export function prepareWriteBroadcast(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const send = prepareSendBroadcast(context);
  return ({ notification, isStanding, except }: NewBroadcast): boolean => {
    const { tenant, createdAt: at } = notification;
    const { pk: notificationPk, isNew } = writeNotification(notification);
    if (isNew) {
      send({ tenant, notificationPk, at, isStanding, except, hasItems: true, isDue: true, isPaged: false });
    }
    return isNew;
  };
}
