import type { Notification } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { fanOutChunks } from "../schema.ts";
import { prepareWriteNotification } from "./write-notification.ts";

/** Writes a notification and its recipients in chunks, each a JSON array, unless its tenant already has it. */
export function prepareCreateFanOut(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const insertChunk = context.prepare<{ readonly notificationPk: number; readonly recipients: string }>(
    sql`insert into ${fanOutChunks} (notification_pk, recipients) values (${sql.placeholder("notificationPk")}, ${sql.placeholder("recipients")})`,
  );
  return (notification: Notification, chunks: readonly string[]): void => {
    const { pk, isNew } = writeNotification(notification);
    if (isNew) {
      for (const recipients of chunks) {
        insertChunk.run({ notificationPk: pk, recipients });
      }
    }
  };
}
