import { randomUUID } from "node:crypto";
import type { ItemsTurn, OpenAudience, WrittenMembers } from "@belfry/core/storage";
import { collected, lookedAt, type Sql } from "@belfry/storage-sql";
import type { Connection } from "../database/connection.ts";
import { isLockTimeout, isTransientConflict, wrapError } from "../database/errors.ts";
import { plannedAnew } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { countRecipients } from "../inbox/count-recipients.ts";
import { BUSY_TIMEOUT_MS, lockGuard, newestBroadcast } from "../inbox/inbox-state.ts";

/** Writes the items of the next users of an audience, and moves it on, in one statement. */
export function prepareWriteMembers(tables: TableNames, sql: Sql) {
  return (audience: OpenAudience, { at }: ItemsTurn) =>
    async (connection: Connection): Promise<WrittenMembers> => {
      const { text, values } = writeMembersOf({ tables, sql }, audience, at);
      try {
        const [[isSame] = [null]] = await connection.rows(plannedAnew<[isSame: boolean]>(text), values);
        if (isSame === null) {
          return { as: "taken" };
        }
        // To read where thousands of items went costs more than to look at the inboxes that somebody follows.
        return isSame ? { as: "written", items: [], isUntold: true } : { as: "moved" };
      } catch (error) {
        const mayPass = !isLockTimeout(error) && (isTransientConflict(error) || wrapError(error).retryable);
        if (mayPass) {
          throw error;
        }
        // The fan-out writes the others, and tells why it cannot write these.
        return { as: "refused" };
      }
    };
}

/**
 * The statement of a step. It answers one row, false if somebody else has moved the audience on; none if another transaction holds the
 * audience. Each user is looked at once, so that each counter goes up by one, and the new counters are the places of the items.
 */
function writeMembersOf(
  { tables, sql }: { readonly tables: TableNames; readonly sql: Sql },
  audience: OpenAudience,
  at: Date,
): { readonly text: string; readonly values: readonly unknown[] } {
  const { values, add } = collected();
  const [key, before, next, time] = [add(audience.key), add(audience.mark), add(randomUUID()), add(at.toISOString())];
  const lookedAtNext = lookedAt({ sql, audience, limit: audience.source.chunk }, add);
  const text = `WITH ${lockGuard(BUSY_TIMEOUT_MS)},
  held AS MATERIALIZED (
    SELECT notification_pk, mark = ${before} AND source IS NOT NULL AS is_same
    FROM ${tables.audiences} WHERE notification_pk = ${key}::bigint FOR UPDATE SKIP LOCKED
  ),
  notification AS MATERIALIZED (
    SELECT n.*, ${newestBroadcast(tables, "n.tenant")} AS began_after FROM guard CROSS JOIN held JOIN ${tables.notifications} n ON n.pk = held.notification_pk
    WHERE guard.lock_timeout IS NOT NULL AND held.is_same
  ),
  looked_at AS MATERIALIZED (
    SELECT l.user_id, l.is_wanted FROM held CROSS JOIN LATERAL (${lookedAtNext.text}) l WHERE held.is_same
  ),
  reached AS MATERIALIZED (
    SELECT count(*) FILTER (WHERE is_wanted = 1) AS found, CASE WHEN count(*) = ${lookedAtNext.limit} THEN max(user_id) END AS last FROM looked_at
  ),
  moved AS (
    UPDATE ${tables.audiences} a SET mark = ${next}, after_user = r.last, place = a.place + r.found,
      source = CASE WHEN r.last IS NULL THEN NULL ELSE a.source END
    FROM held h CROSS JOIN reached r WHERE a.notification_pk = h.notification_pk AND h.is_same
  ),
  ${countRecipients(tables, { from: "looked_at", which: "u.is_wanted = 1" })},
  written AS (
    INSERT INTO ${tables.inboxItems} (tenant, user_id, seq, notification_pk, type, created_at, category, expires_at)
    SELECT n.tenant, c.user_id, c.last_seq, n.pk, n.type, ${time}::timestamptz, n.category, n.expires_at
    FROM notification n CROSS JOIN counter c
  )
  SELECT is_same FROM held`;
  return { text, values };
}
