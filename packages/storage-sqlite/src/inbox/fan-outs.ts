import type { Notification, Owner } from "@belfry/core";
import type { FanOutChunk } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { NOTIFICATION_FIELDS } from "./item-row.ts";
import { prepareWriteMany, prepareWriteNotification } from "./write-items.ts";

/** Writes a notification and its recipients in chunks, each a JSON array, unless its tenant already has it. */
export function prepareCreateFanOut(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const insertChunk = context.prepare<{ readonly notificationPk: number; readonly recipients: string }>(
    "INSERT INTO belfry_fan_out_chunks (notification_pk, recipients) VALUES (:notificationPk, :recipients)",
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
const RECIPIENTS_PER_TURN = 10_000;

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

/** Whether a chunk is left; takes no lock. */
export function prepareHasFanOut({ prepare }: QueryContext) {
  const any = prepare<object, { readonly pk: number }>("SELECT pk FROM belfry_fan_out_chunks LIMIT 1");
  return (_: Date): boolean => any.get({}) !== undefined;
}

/** Writes the items of the oldest chunk and forgets the chunk. */
export function prepareFanOutNext(context: QueryContext) {
  const writeItems = prepareWriteMany(context);
  const oldest = context.prepare<object, ChunkRow>(`
    SELECT c.pk AS chunk_pk, c.notification_pk, c.recipients, ${NOTIFICATION_FIELDS.columns("n")}
    FROM belfry_fan_out_chunks c CROSS JOIN belfry_notifications n ON n.pk = c.notification_pk ORDER BY c.pk LIMIT 1`);
  const forget = context.prepare<{ readonly pk: number }>("DELETE FROM belfry_fan_out_chunks WHERE pk = :pk");
  return (createdAt: Date, isWanted?: (owner: Owner) => boolean): FanOutChunk | null => {
    const row = oldest.get({});
    if (row === undefined) {
      return null;
    }
    const notification = NOTIFICATION_FIELDS.record(row);
    const { tenant, type } = notification;
    const { notification_pk: notificationPk } = row;
    const items = writeItems({ tenant, notificationPk, type, createdAt }, JSON.parse(row.recipients) as readonly string[], isWanted);
    forget.run({ pk: row.chunk_pk });
    return { notification, items };
  };
}

/** Removes a user from the fan-outs that still name them, and answers how many chunks did. */
export function prepareLeaveFanOuts({ prepare, prepareRows }: QueryContext) {
  // The text search is fast; the JSON check then tells whether it found a recipient.
  const naming = prepareRows<Owner & { readonly text: string; readonly limit: number }, readonly [pk: number, recipients: string]>(`
    SELECT c.pk, c.recipients FROM belfry_fan_out_chunks c CROSS JOIN belfry_notifications n ON n.pk = c.notification_pk
    WHERE n.tenant = (SELECT :tenant) AND instr(c.recipients, (SELECT :text)) > 0
      AND EXISTS (SELECT 1 FROM json_each(c.recipients) WHERE value = (SELECT :userId)) ORDER BY c.pk LIMIT :limit`);
  const forget = prepare<{ readonly pk: number }>("DELETE FROM belfry_fan_out_chunks WHERE pk = :pk");
  const keep = prepare<{ readonly pk: number; readonly recipients: readonly string[] }>(
    "UPDATE belfry_fan_out_chunks SET recipients = :recipients WHERE pk = :pk",
  );
  return (owner: Owner, limit: number): number => {
    const chunks = naming.all({ ...owner, text: JSON.stringify(owner.userId), limit });
    for (const [pk, text] of chunks) {
      const recipients = (JSON.parse(text) as readonly string[]).filter((userId) => userId !== owner.userId);
      if (recipients.length === 0) {
        forget.run({ pk });
      } else {
        keep.run({ pk, recipients });
      }
    }
    return chunks.length;
  };
}
