import type { JsonObject, Notification, NotificationKind } from "@belfry/core";
import type { FanOutChunk } from "@belfry/core/storage";
import { asc, eq, sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { fanOutChunks, notifications } from "../schema.ts";
import { prepareWriteItems } from "./write-items.ts";

interface ChunkRow {
  readonly chunk_pk: number;
  readonly notification_pk: number;
  readonly recipients: string;
  readonly tenant: string;
  readonly id: string;
  readonly kind: NotificationKind;
  readonly type: string;
  readonly title: string;
  readonly message: string;
  readonly data: string;
  readonly source: string | null;
  readonly sender: string | null;
  readonly created_at: number;
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
    select ${fanOutChunks.pk} as chunk_pk, ${fanOutChunks.notificationPk}, ${fanOutChunks.recipients}, ${notifications.tenant},
      ${notifications.id}, ${notifications.kind}, ${notifications.type}, ${notifications.title}, ${notifications.message},
      ${notifications.data}, ${notifications.source}, ${notifications.sender}, ${notifications.createdAt}
    from ${fanOutChunks} cross join ${notifications} on ${notifications.pk} = ${fanOutChunks.notificationPk}
    order by ${asc(fanOutChunks.pk)} limit 1`);
  const forget = prepare<{ readonly pk: number }>(builder.delete(fanOutChunks).where(eq(fanOutChunks.pk, sql.placeholder("pk"))));
  return (createdAt: Date): FanOutChunk | null => {
    const row = oldest.get({});
    if (row === undefined) {
      return null;
    }
    const { tenant, type, notification_pk: notificationPk } = row;
    const items = writeItems({ tenant, notificationPk, type, createdAt }, JSON.parse(row.recipients) as readonly string[]);
    forget.run({ pk: row.chunk_pk });
    return { notification: toNotification(row), items };
  };
}

function toNotification(row: ChunkRow): Notification {
  return {
    id: row.id,
    tenant: row.tenant,
    kind: row.kind,
    type: row.type,
    title: row.title,
    message: row.message,
    data: JSON.parse(row.data) as JsonObject,
    source: row.source,
    sender: row.sender,
    createdAt: new Date(row.created_at),
  };
}
