import { isUuid, type Notification } from "@belfry/core";
import type { DeliveryStorage, NewDelivery, NewFanOut, NewNotification, NewSend } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

/** In how many inboxes a transaction notes an update; the others are left to steps. Each takes a few milliseconds. */
export const UPDATED_AT_ONCE = 100;

/** A piece of the list of a fan-out. */
export interface ListPart {
  /** The channel that the recipients are addresses of; null for users. */
  readonly channel: string | null;
  /** How many recipients come before its own. */
  readonly place: number;
  readonly recipients: readonly string[];
}

/** Cuts a list of users into parts. */
export function* usersInParts(users: readonly string[], size: number): Generator<ListPart> {
  yield* inParts({ channel: null, place: 0, recipients: users }, size);
}

/**
 * The place of a part that nobody writes: it stands for the users who are still to be found. A process that knows of no topics would end the
 * fan-out without it, as soon as no other part is left.
 */
export const PLACE_OF_OTHERS = -1;

/** A large audience, and who else is still to be found. */
interface PartedAudience {
  readonly fanOut: NewFanOut;
  readonly audience: NewSend["audience"];
  readonly everyone: NewSend["everyone"];
}

/** Cuts a large audience into parts of so many deliveries. */
export function* audienceInParts({ fanOut, audience, everyone }: PartedAudience, deliveries: number): Generator<ListPart> {
  const { users, addresses, chainsEach } = fanOut;
  if (everyone !== undefined || (audience !== undefined && audience.source !== null)) {
    yield { channel: null, place: PLACE_OF_OTHERS, recipients: [] };
  }
  yield* usersInParts(users, Math.max(1, Math.floor(deliveries / chainsEach)));
  let place = users.length;
  for (const [channel, recipients] of addresses) {
    yield* inParts({ channel, place, recipients }, deliveries);
    place += recipients.length;
  }
}

function* inParts({ channel, place, recipients }: ListPart, size: number): Generator<ListPart> {
  for (let start = 0; start < recipients.length; start += size) {
    yield { channel, place: place + start, recipients: recipients.slice(start, start + size) };
  }
}

/** How many chains of each kind these deliveries are, which nobody has attempted yet. */
export function newChains(deliveries: readonly NewDelivery[]): { readonly pending: number; readonly skipped: number } {
  const primaries = deliveries.filter(({ isFallback }) => !isFallback);
  const skipped = primaries.filter(({ status }) => status === "skipped").length;
  return { pending: primaries.length - skipped, skipped };
}

/** Finds fan-outs with deliveries. */
export function findingFanOuts(sql: Sql): Pick<DeliveryStorage, "endingFanOuts" | "isFannedOut" | "isKeyUsed"> {
  const { broadcasts, fanOuts, fanOutParts, notifications } = sql.tables;
  const isExpired = `n.expires_at <= ${sql.cast("$1", "timestamptz")}`;
  const ending = `SELECT n.tenant, n.id, coalesce(${isExpired}, false) AS "isExpired" FROM ${fanOuts} f ${sql.join} ${notifications} n ON n.pk = f.notification_pk
    WHERE f.drop_at IS NULL AND f.plan IS NOT NULL
      AND (${isExpired} OR NOT EXISTS (SELECT 1 FROM ${fanOutParts} p WHERE p.fan_out_pk = f.pk)) ORDER BY f.pk LIMIT 100`;
  type Row = Pick<Notification, "tenant" | "id"> & { readonly isExpired: boolean | number };
  const open = `SELECT n.pk FROM ${notifications} n WHERE n.tenant = $1 AND n.id = $2 AND (
      EXISTS (SELECT 1 FROM ${fanOuts} f WHERE f.notification_pk = n.pk AND f.drop_at IS NULL AND f.plan IS NOT NULL)
      OR EXISTS (SELECT 1 FROM ${broadcasts} b WHERE b.notification_pk = n.pk))`;
  return {
    async isFannedOut(tenant, id) {
      return isUuid(id) && (await sql.rows("is_fanned_out", open, [tenant, id.toLowerCase()])).length > 0;
    },
    async isKeyUsed(tenant, key) {
      const used = `SELECT key FROM ${sql.tables.idempotencyKeys} WHERE tenant = $1 AND key = $2`;
      return (await sql.rows("is_key_used", used, [tenant, key])).length > 0;
    },
    async endingFanOuts(at) {
      const rows = await sql.rows<Row>("ending_fan_outs", ending, [at]);
      return rows.map(({ tenant, id, isExpired: isOver }) => ({ tenant, id, as: isOver ? "skipped" : "written" }));
    },
  };
}

/** What is written of a send into inboxes. */
export function entryOfSend({ notification, inboxRecipients: recipients, audience }: NewSend): NewNotification {
  return { notification, recipients, ...(audience === undefined ? {} : { audience }) };
}
