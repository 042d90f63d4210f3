import type { FanOutChunk } from "@belfry/core/storage";
import { asc, eq, sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { fanOutChunks, notifications } from "../schema.ts";
import { NOTIFICATION_FIELDS } from "./notification-fields.ts";
import { prepareWriteItems } from "./write-items.ts";

/** A chunk, and the columns of its notification. */
interface ChunkRow {
  readonly chunk_pk: number;
  readonly notification_pk: number;
  readonly recipients: string;
}

/** Whether a chunk is left: a look that takes no lock. */
export function prepareHasFanOut({ builder, prepare }: QueryContext) {
  const any = prepare<object, { readonly pk: number }>(builder.select({ pk: fanOutChunks.pk }).from(fanOutChunks).limit(1));
  return (): boolean => any.get({}) !== undefined;
}

/** Writes the items of the oldest chunk and forgets the chunk. */
export function prepareFanOutNext(context: QueryContext) {
  const { builder, prepare } = context;
  const writeItems = prepareWriteItems(context);
  const oldest = prepare<object, ChunkRow>(sql`
    select ${fanOutChunks.pk} as chunk_pk, ${fanOutChunks.notificationPk}, ${fanOutChunks.recipients},
      ${NOTIFICATION_FIELDS.columns("belfry_notifications")}
    from ${fanOutChunks} cross join ${notifications} on ${notifications.pk} = ${fanOutChunks.notificationPk}
    order by ${asc(fanOutChunks.pk)} limit 1`);
  const forget = prepare<{ readonly pk: number }>(builder.delete(fanOutChunks).where(eq(fanOutChunks.pk, sql.placeholder("pk"))));
  return (createdAt: Date): FanOutChunk | null => {
    const row = oldest.get({});
    if (row === undefined) {
      return null;
    }
    const notification = NOTIFICATION_FIELDS.record(row);
    const { tenant, type } = notification;
    const { notification_pk: notificationPk } = row;
    const items = writeItems({ tenant, notificationPk, type, createdAt }, JSON.parse(row.recipients) as readonly string[]);
    forget.run({ pk: row.chunk_pk });
    return { notification, items };
  };
}
