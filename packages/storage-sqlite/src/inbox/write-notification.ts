import type { Notification } from "@belfry/core";
import { and, eq, sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { notifications } from "../schema.ts";
import { NOTIFICATION_FIELDS } from "./notification-fields.ts";

/** A notification's key, and whether this write made it or found it there. */
export interface WrittenNotification {
  readonly pk: number;
  readonly isNew: boolean;
}

/** Writes a notification, unless its tenant already has one of its id. */
export function prepareWriteNotification({ builder, prepare }: QueryContext) {
  const insert = prepare<Notification>(
    builder
      .insert(notifications)
      .values(NOTIFICATION_FIELDS.placeholders)
      .onConflictDoNothing({ target: [notifications.tenant, notifications.id] }),
  );
  const find = prepare<Notification, { readonly pk: number }>(
    builder
      .select({ pk: notifications.pk })
      .from(notifications)
      .where(and(eq(notifications.tenant, sql.placeholder("tenant")), eq(notifications.id, sql.placeholder("id")))),
  );
  return (notification: Notification): WrittenNotification => {
    const { changes, lastInsertRowid } = insert.run(notification);
    if (changes > 0) {
      return { pk: Number(lastInsertRowid), isNew: true };
    }
    const found = find.get(notification);
    if (found === undefined) {
      throw new Error(`The notification ${notification.id} was neither written nor found.`);
    }
    return { pk: found.pk, isNew: false };
  };
}
