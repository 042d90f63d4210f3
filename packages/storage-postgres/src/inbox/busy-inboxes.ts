import type { Owner } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { LOCK_TIMEOUT_MS, lockGuard } from "./held-inbox.ts";
import { NEW_EPOCH } from "./new-epoch.ts";

/** How long a batch waits for one inbox before it is taken for busy: longer than another batch takes, too short to notice. */
export const BUSY_TIMEOUT_MS = 20;

/**
 * Tells which inboxes other transactions hold at this moment, and waits for one of them. Both hold nothing themselves
 * when they are done.
 */
export function prepareBusyInboxes({ inboxCounters }: TableNames) {
  const missing = statement<[place: number]>(
    "missing_inboxes",
    `SELECT o.place::int FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS o(tenant, user_id, place)
    WHERE NOT EXISTS (SELECT FROM ${inboxCounters} c WHERE c.tenant = o.tenant AND c.user_id = o.user_id)`,
  );
  // The row of an inbox that never had an item; nobody sees it. It waits for a transaction that is making the same.
  const make = statement<[]>(
    "make_inbox",
    `WITH ${lockGuard("$3")}
    INSERT INTO ${inboxCounters} (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
    SELECT $1, $2, 0, 0, 0, 0, ${NEW_EPOCH} FROM guard WHERE guard.lock_timeout IS NOT NULL
    ON CONFLICT DO NOTHING`,
  );
  const free = statement<[place: number]>(
    "free_inboxes",
    `SELECT c.place::int FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS o(tenant, user_id, place)
    CROSS JOIN LATERAL (
      SELECT o.place FROM ${inboxCounters} c WHERE c.tenant = o.tenant AND c.user_id = o.user_id FOR NO KEY UPDATE SKIP LOCKED
    ) c`,
  );
  const hold = statement<[]>(
    "await_inbox",
    `WITH ${lockGuard("$3")}
    SELECT FROM guard CROSS JOIN LATERAL (
      SELECT FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2 AND guard.lock_timeout IS NOT NULL FOR NO KEY UPDATE
    ) c`,
  );

  const isFreeToMake = async (session: Session, { tenant, userId }: Owner): Promise<boolean> => {
    try {
      await session.rows(make, [tenant, userId, BUSY_TIMEOUT_MS]);
      return true;
    } catch (error) {
      if (isLockTimeout(error)) {
        return false;
      }
      throw error;
    }
  };

  /** The inboxes that are held. An inbox that was never written to is made, to learn whether another makes it. */
  const find = async (session: Session, inboxes: readonly Owner[]): Promise<readonly Owner[]> => {
    const values = [inboxes.map((inbox) => inbox.tenant), inboxes.map((inbox) => inbox.userId)];
    const busy = new Set<Owner>();
    for (const [place] of await session.rows(missing, values)) {
      const inbox = inboxes[place - 1];
      if (inbox && !(await isFreeToMake(session, inbox))) {
        busy.add(inbox);
      }
    }
    const places = new Set((await session.rows(free, values)).map(([place]) => place));
    return inboxes.filter((inbox, index) => busy.has(inbox) || !places.has(index + 1));
  };

  /** Resolves once the inbox is free, be it for a moment; rejects with PostgreSQL's lock timeout if it stays held. */
  const wait = async (session: Session, { tenant, userId }: Owner): Promise<void> => {
    await session.rows(make, [tenant, userId, LOCK_TIMEOUT_MS]);
    await session.rows(hold, [tenant, userId, LOCK_TIMEOUT_MS]);
  };

  /** Waits for one of the inboxes that are held, if any is. */
  const waitForFirst = async (session: Session, inboxes: readonly Owner[]): Promise<void> => {
    const [first] = await find(session, inboxes);
    if (first) {
      await wait(session, first);
    }
  };

  return { find, wait, waitForFirst };
}
