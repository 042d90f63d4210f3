import type { ItemRef, Owner } from "@belfry/core";
import type { ItemMarking, WholeInboxChange } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { memoized, type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { type ItemsChangeText, prepareChangeItems, seqsOf } from "./change-items.ts";
import { loggedChange } from "./change-log.ts";
import { type CountsRow, heldInbox, nextDue, toCounts } from "./inbox-state.ts";
import { ownReadTime } from "./item-row.ts";

/** The first of those items that are unread from now on in spite of a read mark. */
const REOPENED = {
  tally: "min(seq) FILTER (WHERE seq <= (SELECT read_up_to_seq FROM inbox)) AS from_seq",
  set: "reopened_from_seq = least(c.reopened_from_seq, tally.from_seq)",
};

type SweepRow = readonly [isChange: boolean, isDue: boolean, count: number, ...CountsRow];

function toWholeChange(row: SweepRow | undefined): WholeInboxChange {
  const [isChange = false, isDue = false, count = 0, ...counts] = row ?? [];
  return { isChange, count, counts: toCounts(row && (counts as unknown as CountsRow)), ...(isDue ? { isDue } : {}) };
}

/** Whether something of the held inbox is due at $3, and comes before a mark that is made unless there is: $4. */
const IS_HELD_UP = "($4::boolean AND (held.is_behind OR coalesce(held.due_at <= $3::timestamptz, false)))";

/** Marks a whole inbox read by one mark, whatever the number of items. It reads no item, so it is always current. */
export function prepareMarkAllRead(tables: TableNames) {
  const isChange = `(held.unread + coalesce(held.away_unread, 0) > 0 AND NOT ${IS_HELD_UP})`;
  const run = statement<SweepRow>(
    "mark_all_read",
    `WITH ${heldInbox(tables)},
    marked AS (
      INSERT INTO ${tables.readMarks} (tenant, user_id, up_to_seq, read_at, rev)
      SELECT $1, $2, held.last_seq, $3, held.rev + 1 FROM held WHERE ${isChange}
      ON CONFLICT DO NOTHING
    ),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET unread = 0, read_up_to_seq = held.last_seq, rev = c.rev + 1, read_rev = c.rev + 1, reopened_from_seq = NULL,
        seen_unread = NULL, away_unread = NULL, away_seen_unread = NULL
      FROM held
      WHERE c.tenant = $1 AND c.user_id = $2 AND ${isChange}
    ),
    ${loggedChange(tables, { kind: "read_all", inbox: "held", from: `held WHERE ${isChange}`, at: "$3::timestamptz", upToSeq: "noted.last_seq" })}
    SELECT now.is_change, ${IS_HELD_UP}, CASE WHEN now.is_change THEN held.unread ELSE 0 END, held.last_seq, held.total,
      CASE WHEN now.is_change THEN 0 ELSE held.unread END, held.epoch, held.rev + now.is_change::int,
      CASE WHEN now.is_change THEN 0 ELSE held.seen_unread END, NULL::bigint, held.is_behind
    FROM held CROSS JOIN LATERAL (SELECT ${isChange} AS is_change) now`,
  );
  return wholeChange(run);
}

/** Marks a whole inbox seen, whatever the number of items. It reads no item, so it is always current. */
export function prepareMarkAllSeen(tables: TableNames) {
  const unseen = "greatest(held.unread - coalesce(held.seen_unread, 0), 0)";
  const isChange = `((${unseen} > 0 OR coalesce(held.away_unread, 0) > coalesce(held.away_seen_unread, 0)) AND NOT ${IS_HELD_UP})`;
  const run = statement<SweepRow>(
    "mark_all_seen",
    `WITH ${heldInbox(tables)},
    counted AS (
      UPDATE ${tables.inboxCounters} c SET seen_up_to_seq = held.last_seq, rev = c.rev + 1, seen_rev = c.rev + 1,
        seen_unread = nullif(held.unread, 0), away_seen_unread = held.away_unread
      FROM held WHERE c.tenant = $1 AND c.user_id = $2 AND ${isChange}
    ),
    ${loggedChange(tables, { kind: "seen_all", inbox: "held", from: `held WHERE ${isChange}`, at: "$3::timestamptz", upToSeq: "noted.last_seq" })}
    SELECT now.is_change, ${IS_HELD_UP}, CASE WHEN now.is_change THEN ${unseen} ELSE 0 END, held.last_seq, held.total, held.unread, held.epoch,
      held.rev + now.is_change::int, CASE WHEN now.is_change THEN held.unread ELSE held.seen_unread END, NULL::bigint, held.is_behind
    FROM held CROSS JOIN LATERAL (SELECT ${isChange} AS is_change) now`,
  );
  return wholeChange(run);
}

function wholeChange(run: Statement<SweepRow>) {
  return (owner: Owner, at: Date, unlessDue: boolean) =>
    async (session: Session): Promise<WholeInboxChange> => {
      const [row] = await session.rows(run, [owner.tenant, owner.userId, at.toISOString(), unlessDue]);
      return toWholeChange(row);
    };
}

/** How a mark changes items. */
export type MarkText = Omit<ItemsChangeText, "operation" | "kind" | "readTime" | "unlessDue"> & Partial<Pick<ItemsChangeText, "readTime">>;

const GONE: MarkText = {
  set: "deleted_at = $5, archived_at = NULL, snoozed_until = NULL, expires_at = NULL, replace_key = NULL",
  which: "true",
  after: { isGone: true },
};

/** An item that may be replaced from now on has the key of its notification. */
function keyAgain({ notifications }: TableNames): string {
  return `replace_key = (SELECT n.replace_key FROM ${notifications} n WHERE n.pk = item.notification_pk)`;
}

/** $5 is the time of the change; $6 the time until which items are snoozed, or up to which snoozed ones wake. */
export const marksOf = (tables: TableNames): Readonly<Record<ItemMarking["mark"], MarkText>> => ({
  read: {
    // It is seen without a mark of its own. The mark says which change read it.
    set: "read_at = $5, seen_mark = (SELECT rev + 1 FROM inbox)",
    which: "i.is_unread",
    after: { isUnread: "false" },
    readTime: `CASE WHEN i.is_unread THEN $5::timestamptz ELSE ${ownReadTime(tables)} END`,
  },
  unread: {
    // It was read, and so it was seen.
    set: `read_at = NULL, unread_rev = (SELECT rev + 1 FROM inbox), seen_mark = (SELECT rev + 1 FROM inbox), ${keyAgain(tables)}`,
    which: "NOT i.is_unread",
    after: { isUnread: "true", isMarkedSeen: "true" },
    also: REOPENED,
    readTime: "NULL::timestamptz",
    marks: { isMarkedSeen: "NOT i.is_unread OR i.is_marked_seen" },
  },
  seen: {
    set: "seen_mark = (SELECT rev + 1 FROM inbox)",
    which: "i.is_unread AND NOT i.is_marked_seen",
    after: { isMarkedSeen: "true" },
    marks: { isMarkedSeen: "true" },
  },
  unseen: {
    set: "seen_mark = -(SELECT rev + 1 FROM inbox)",
    which: "i.is_unread AND i.is_marked_seen",
    after: { isMarkedSeen: "false" },
    marks: { isMarkedSeen: "false" },
  },
  pinned: { set: "pinned_at = $5", which: "i.pinned_at IS NULL", marks: { pinnedAt: "coalesce(i.pinned_at, $5::timestamptz)" } },
  unpinned: { set: "pinned_at = NULL", which: "i.pinned_at IS NOT NULL", marks: { pinnedAt: "NULL::timestamptz" } },
  archived: {
    places: ["active", "archived"],
    set: "archived_at = $5, deleted_at = $5",
    which: "i.archived_at IS NULL",
    after: { isAway: "true" },
    marks: { archivedAt: "coalesce(i.archived_at, $5::timestamptz)" },
  },
  unarchived: {
    places: ["archived", "active"],
    set: `archived_at = NULL, deleted_at = NULL, ${keyAgain(tables)}`,
    which: "i.archived_at IS NOT NULL",
    after: { isAway: "false" },
    marks: { archivedAt: "NULL::timestamptz" },
  },
  snoozed: {
    set: "snoozed_until = $6, deleted_at = $5",
    which: "true",
    after: { isAway: "true" },
    until: "$6::timestamptz",
    also: { set: "due_at = least(c.due_at, $6::timestamptz)" },
    marks: { snoozedUntil: "$6::timestamptz" },
  },
  woken: wokenOf(tables),
  deleted: GONE,
  expired: GONE,
});

/** A woken item is unread, but not unseen. */
const wokenOf = (tables: TableNames): MarkText => ({
  places: ["snoozed"],
  set: `snoozed_until = NULL, deleted_at = NULL, woken_at = $5, read_at = NULL, unread_rev = (SELECT rev + 1 FROM inbox),
    seen_mark = CASE WHEN item.seq = ${seqsOf("found", "i.is_unread AND NOT i.is_marked_seen")} THEN item.seen_mark ELSE (SELECT rev + 1 FROM inbox) END,
    ${keyAgain(tables)}`,
  which: WOKEN,
  after: { isUnread: "true", isMarkedSeen: "(NOT i.is_unread OR i.is_marked_seen)", isAway: "false" },
  also: {
    tally: REOPENED.tally,
    set: `${REOPENED.set}, due_at = ${nextDue(tables, "s.seq NOT IN (SELECT seq FROM changed)")}`,
  },
  readTime: `CASE WHEN ${WOKEN} THEN NULL ELSE ${ownReadTime(tables)} END`,
  marks: {
    isMarkedSeen: `i.is_marked_seen OR (${WOKEN} AND NOT i.is_unread)`,
    snoozedUntil: `CASE WHEN ${WOKEN} THEN NULL ELSE i.snoozed_until END`,
  },
});

const WOKEN = "i.snoozed_until <= $6::timestamptz";

/** The values that a mark takes beside the refs and its time, from $6 on. */
function valuesOf(marking: ItemMarking): readonly unknown[] {
  if (marking.mark === "snoozed") {
    return [marking.until.toISOString()];
  }
  return marking.mark === "woken" ? ["infinity"] : [];
}

/** Changes items. */
export function prepareMark(tables: TableNames) {
  const changes = memoized((text: string) => prepareOneMark(tables, JSON.parse(text) as MarkVariant));
  return (owner: Owner, refs: readonly ItemRef[], marking: ItemMarking) => {
    const { mark, places, unlessDue, at, continues, openUntil } = marking;
    const values = valuesOf(marking);
    const isStep = continues !== undefined || openUntil !== undefined;
    const ofStep = isStep ? [continues ?? null, openUntil?.toISOString() ?? null] : [];
    const step = isStep ? { continues: `$${6 + values.length}::bigint`, openUntil: `$${7 + values.length}::timestamptz` } : undefined;
    return changes(JSON.stringify({ mark, places, unlessDue, step }))(owner, refs, at, ...values, ...ofStep);
  };
}

/** The parts of a marking that decide the text of its statement. */
type MarkVariant = Pick<ItemMarking, "mark" | "places" | "unlessDue"> & Pick<ItemsChangeText, "step">;

/** Prepares one kind of mark. */
export function prepareOneMark(tables: TableNames, { mark, places, unlessDue = false, step }: MarkVariant) {
  const text = { readTime: ownReadTime(tables), unlessDue, ...marksOf(tables)[mark] };
  return prepareChangeItems(tables, {
    ...{ operation: `mark_${mark}`, kind: mark, ...text },
    ...(places === undefined ? {} : { places }),
    ...(step === undefined ? {} : { step }),
  });
}

/** Marks unread items read. */
export function prepareMarkRead(tables: TableNames) {
  const mark = prepareMark(tables);
  return (owner: Owner, refs: readonly ItemRef[], at: Date) => mark(owner, refs, { mark: "read", at });
}

/** Marks items unread again, also those that a read mark covers. */
export function prepareMarkUnread(tables: TableNames) {
  const mark = prepareMark(tables);
  return (owner: Owner, refs: readonly ItemRef[], at: Date) => mark(owner, refs, { mark: "unread", at });
}

/** Deletes items softly. */
export function prepareRemove(tables: TableNames) {
  const mark = prepareMark(tables);
  return (owner: Owner, refs: readonly ItemRef[], at: Date) => mark(owner, refs, { mark: "deleted", at });
}
