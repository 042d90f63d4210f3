import type { Notification, Owner } from "@belfry/core";
import type { FanOutChunk } from "@belfry/core/storage";
import { asc, eq, sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { fanOutChunks, notifications } from "../schema.ts";
import { joinValue } from "./conditions.ts";
import { NOTIFICATION_FIELDS } from "./item-row.ts";
import { prepareWriteItems, prepareWriteNotification } from "./write-items.ts";

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

/** How many recipients are written as JSON before the event loop gets a turn. */
const RECIPIENTS_PER_TURN = 50_000;

/** Cuts a list of recipients into chunks, each a JSON array, without blocking the event loop for long. */
export async function cutIntoChunks(recipients: readonly string[], chunkSize: number): Promise<readonly string[]> {
  const chunks: string[] = [];
  let left = RECIPIENTS_PER_TURN;
  for (let start = 0; start < recipients.length; start += chunkSize) {
    chunks.push(JSON.stringify(recipients.slice(start, start + chunkSize)));
    left -= chunkSize;
    if (left <= 0) {
      left = RECIPIENTS_PER_TURN;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return chunks;
}

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
      ${sql.raw(NOTIFICATION_FIELDS.columns("belfry_notifications"))}
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

/** Takes a user out of the fan-outs that still name them, and answers how many chunks did. */
export function prepareLeaveFanOuts({ builder, prepare, prepareRows }: QueryContext) {
  // The search for the text is fast; whether it is a recipient, the chunk itself tells.
  const naming = prepareRows<Owner & { readonly text: string; readonly limit: number }, readonly [pk: number, recipients: string]>(sql`
    select ${fanOutChunks.pk}, ${fanOutChunks.recipients}
    from ${fanOutChunks} cross join ${notifications} on ${notifications.pk} = ${fanOutChunks.notificationPk}
    where ${notifications.tenant} = ${joinValue("tenant")} and instr(${fanOutChunks.recipients}, ${joinValue("text")}) > 0
      and exists (select 1 from json_each(${fanOutChunks.recipients}) where value = ${joinValue("userId")})
    order by ${fanOutChunks.pk} limit ${sql.placeholder("limit")}`);
  const own = eq(fanOutChunks.pk, sql.placeholder("pk"));
  const forget = prepare<{ readonly pk: number }>(builder.delete(fanOutChunks).where(own));
  const keep = prepare<{ readonly pk: number; readonly recipients: string }>(
    builder
      .update(fanOutChunks)
      .set({ recipients: sql`${sql.placeholder("recipients")}` })
      .where(own),
  );
  return (owner: Owner, limit: number): number => {
    const chunks = naming.all({ ...owner, text: JSON.stringify(owner.userId), limit });
    for (const [pk, text] of chunks) {
      const recipients = (JSON.parse(text) as readonly string[]).filter((userId) => userId !== owner.userId);
      if (recipients.length === 0) {
        forget.run({ pk });
      } else {
        keep.run({ pk, recipients: JSON.stringify(recipients) });
      }
    }
    return chunks.length;
  };
}
