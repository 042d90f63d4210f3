import type { InboxCounts, Owner } from "@belfry/core";
import { EMPTY_COUNTS, type InboxVersion } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { type ChangeToLog, prepareLogChange } from "./change-log.ts";
import { OWN, OWN_IN_PLACE } from "./conditions.ts";

/** The state that decides which items of an inbox are read, and which are seen. */
export interface ReadState extends SeenState {
  /** The newest read mark covers all items up to this number. */
  readonly readUpToSeq: number;
  /** The change that made that mark, which does not cover items marked unread later. */
  readonly readRev: number;
  /** Every item up to this number is deleted, also one that does not say so itself. */
  readonly removedUpToSeq: number;
}

/** The state that decides which items of an inbox are seen, besides the read ones. */
export interface SeenState {
  /** The newest seen mark covers all items up to this number. */
  readonly seenUpToSeq: number;
  /** The change that made that mark, which does not cover items marked unseen later. */
  readonly seenRev: number;
}

/** The counts of an inbox, and which of its items are read. */
export interface InboxState extends ReadState {
  readonly counts: InboxCounts;
  /** How many archived items are unread. */
  readonly awayUnread: number;
  /** How many archived items are seen, but unread. */
  readonly awaySeenUnread: number;
  /** Every unread item has a number above this. */
  readonly unreadAfterSeq: number;
  /** When items up to `removedUpToSeq` were deleted, in milliseconds, as long as some of them do not say so themselves; else null. */
  readonly removedAt: number | null;
}

const EMPTY_STATE: InboxState = {
  ...{ counts: EMPTY_COUNTS, readUpToSeq: 0, readRev: 0, removedUpToSeq: 0, unreadAfterSeq: 0 },
  ...{ seenUpToSeq: 0, seenRev: 0, awayUnread: 0, awaySeenUnread: 0, removedAt: null },
};

/** Counts as SQLite gives them: a list, which the driver makes faster than an object. */
type CountsRow = readonly [
  total: number,
  unread: number,
  lastSeq: number,
  epoch: string,
  rev: number,
  seenUnread: number | null,
  dueAt: number | null,
  isBehind: number | null,
];

/** The counts of an inbox, with what decides which of its items are read and seen. */
type CountersRow = readonly [
  ...counts: CountsRow,
  readUpToSeq: number,
  readRev: number,
  reopenedFromSeq: number | null,
  seenUpToSeq: number | null,
  seenRev: number | null,
  awayUnread: number | null,
  awaySeenUnread: number | null,
  removedUpToSeq: number | null,
  removedAt: number | null,
];

/** Reads the state of an inbox: one row by its key. */
export function prepareInboxState({ prepareBare }: QueryContext) {
  const counters = prepareBare<[tenant: string, userId: string], CountersRow>(`
    SELECT ${COUNTS_COLUMNS}, read_up_to_seq, read_rev, reopened_from_seq, seen_up_to_seq, seen_rev, away_unread, away_seen_unread, removed_up_to_seq,
      removed_at
    FROM belfry_inbox_counters WHERE ${OWN_IN_PLACE}`);
  return ({ tenant, userId }: Owner): InboxState => {
    const row = counters.get(tenant, userId);
    if (row === undefined) {
      return EMPTY_STATE;
    }
    const { 8: readUpToSeq, 9: readRev, 10: reopenedFromSeq, 11: seenUpToSeq, 12: seenRev, 13: awayUnread } = row;
    const { 14: awaySeenUnread, 15: removedUpToSeq, 16: removedAt } = row;
    return {
      counts: countsOf(row),
      readUpToSeq,
      readRev,
      removedUpToSeq: removedUpToSeq ?? 0,
      removedAt: removedAt ?? null,
      unreadAfterSeq: Math.min(readUpToSeq, (reopenedFromSeq ?? Number.POSITIVE_INFINITY) - 1),
      seenUpToSeq: seenUpToSeq ?? 0,
      seenRev: seenRev ?? 0,
      awayUnread: awayUnread ?? 0,
      awaySeenUnread: awaySeenUnread ?? 0,
    };
  };
}

/** The counts of a row that begins with them. */
function countsOf(row: CountsRow | CountersRow | VersionRow): InboxCounts {
  const [total, unread, lastSeq, epoch, rev, seenUnread, dueAt, isBehind] = row;
  const counts = { total, unread, unseen: unseenOf(unread, seenUnread), lastSeq, epoch, rev };
  return dueAt === null && isBehind !== 1 ? counts : { ...counts, ...waitingOf(dueAt, isBehind) };
}

/** How many items are unseen. A process of an older version does not count the seen ones that it marks read. */
function unseenOf(unread: number, seenUnread: number | null): number {
  return seenUnread === null ? unread : Math.max(unread - seenUnread, 0);
}

/** What few inboxes have: snoozed items, and broadcasts to come. */
function waitingOf(dueAt: number | null, isBehind: number | null): Pick<InboxCounts, "dueAt" | "isBehind"> {
  return { ...(dueAt === null ? {} : { dueAt: new Date(dueAt) }), ...(isBehind === 1 ? { isBehind: true } : {}) };
}

/** Whether the tenant has broadcasts that are not placed in the inbox of these counters: 1 if so, otherwise 0, or NULL if it has none. */
const IS_BEHIND = "ifnull(placed_up_to, 0) < (SELECT newest FROM belfry_broadcast_numbers b WHERE b.tenant = belfry_inbox_counters.tenant)";

/** The number of a tenant's newest broadcast, 0 for none: an inbox that begins has it. */
export const newestBroadcast = (tenant: string) => `ifnull((SELECT newest FROM belfry_broadcast_numbers WHERE tenant = ${tenant}), 0)`;

const COUNTS_COLUMNS = `total, unread, last_seq, epoch, rev, seen_unread, due_at, ${IS_BEHIND}`;

/** Reads the counts of an inbox: one row by its key. */
export function prepareCounts({ prepareBare }: QueryContext) {
  const counters = prepareBare<[tenant: string, userId: string], CountsRow>(
    `SELECT ${COUNTS_COLUMNS} FROM belfry_inbox_counters WHERE ${OWN_IN_PLACE}`,
  );
  return ({ tenant, userId }: Owner): InboxCounts => {
    const row = counters.get(tenant, userId);
    return row === undefined ? EMPTY_COUNTS : countsOf(row);
  };
}

type VersionRow = readonly [...counts: CountsRow, contentToken: number | null];

/** The index of `contentToken` in a {@link VersionRow}. */
const CONTENT_TOKEN = 8;

/** Reads the counts of an inbox, and its tenant's content token. */
export function prepareVersion({ prepareBare }: QueryContext) {
  const version = prepareBare<[tenant: string, userId: string], VersionRow>(
    `SELECT ${COUNTS_COLUMNS}, (SELECT token FROM belfry_content_tokens t WHERE t.tenant = belfry_inbox_counters.tenant)
    FROM belfry_inbox_counters WHERE ${OWN_IN_PLACE}`,
  );
  return ({ tenant, userId }: Owner): InboxVersion => {
    const row = version.get(tenant, userId);
    return row === undefined ? { counts: EMPTY_COUNTS, contentToken: null } : { counts: countsOf(row), contentToken: row[CONTENT_TOKEN] };
  };
}

/** Reads the unread count alone: without a list and a text to make for each row, the answer costs a third less. */
export function prepareUnread({ prepareBare }: QueryContext) {
  const unread = prepareBare<[at: number, tenant: string, userId: string]>(
    `SELECT CASE WHEN due_at <= ? OR ${IS_BEHIND} THEN NULL ELSE unread END FROM belfry_inbox_counters WHERE ${OWN_IN_PLACE}`,
  ).pluck();
  return ({ tenant, userId }: Owner, at: Date): number | null =>
    (unread.get(at.getTime(), tenant, userId) as number | null | undefined) ?? null;
}

/** A time after all others. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** The items of the inbox of the values that expire. Those that a process of an older version deleted still have the time. */
export const EXPIRING = `FROM belfry_inbox_items INDEXED BY belfry_inbox_items_expiring
  WHERE ${OWN} AND expires_at IS NOT NULL AND (deleted_at IS NULL OR archived_at IS NOT NULL OR snoozed_until IS NOT NULL)
    AND seq > coalesce((SELECT removed_up_to_seq FROM belfry_inbox_counters WHERE ${OWN}), 0)`;

/** Notes in the counters when the clock changes the inbox next. */
export function prepareSettleDue({ prepare }: QueryContext) {
  const first = [
    `SELECT min(snoozed_until) FROM belfry_inbox_items INDEXED BY belfry_inbox_items_snoozed WHERE ${OWN} AND snoozed_until IS NOT NULL`,
    `SELECT expires_at ${EXPIRING} ORDER BY expires_at LIMIT 1`,
    `SELECT min(due_at) FROM belfry_inbox_groups INDEXED BY belfry_inbox_groups_due WHERE ${OWN} AND due_at IS NOT NULL`,
  ].map((select) => `coalesce((${select}), ${NEVER})`);
  const settle = prepare<Owner>(`UPDATE belfry_inbox_counters SET due_at = nullif(min(${first.join(", ")}), ${NEVER}) WHERE ${OWN}`);
  return (owner: Owner): void => {
    settle.run(owner);
  };
}

/** Notes in the counters that the clock changes the inbox at a time, or before. */
export function prepareNoteDue({ prepare }: QueryContext) {
  const note = prepare<Owner & { readonly at: Date }>(
    `UPDATE belfry_inbox_counters SET due_at = min(coalesce(due_at, :at), :at) WHERE ${OWN}`,
  );
  return (owner: Owner, at: Date): void => {
    note.run({ ...owner, at });
  };
}

/** What a change adds to the counts of an inbox. */
export interface Added {
  readonly total: number;
  readonly unread: number;
  readonly seenUnread: number;
  readonly awayUnread: number;
  readonly awaySeenUnread: number;
}

export const NOTHING_ADDED: Added = { total: 0, unread: 0, seenUnread: 0, awayUnread: 0, awaySeenUnread: 0 };

/** A change of the counts of an inbox. */
export interface CountsChange extends Partial<Added> {
  /** How it changed items, which raises `rev`; null if it changed none. In an inbox that is being erased it is not logged. */
  readonly change: ChangeToLog | "erased" | null;
  /** The numbers of items that are unread from then on in spite of a read mark. @default none */
  readonly reopened?: readonly number[];
}

/** Adds to the counts of an inbox, logs the change, and returns the new counts. */
export function prepareAddToCounts(context: QueryContext) {
  const { prepare } = context;
  const logChange = prepareLogChange(context);
  const sum = (column: string, added: string) => `${column} = nullif(max(coalesce(${column}, 0) + :${added}, 0), 0)`;
  const add = prepare<Owner & Added & { readonly changes: number; readonly reopenedFrom: number | null }>(`
    UPDATE belfry_inbox_counters SET total = total + :total, unread = unread + :unread, rev = rev + :changes,
      reopened_from_seq = min(coalesce(reopened_from_seq, :reopenedFrom), coalesce(:reopenedFrom, reopened_from_seq)),
      ${sum("seen_unread", "seenUnread")}, ${sum("away_unread", "awayUnread")}, ${sum("away_seen_unread", "awaySeenUnread")}
    WHERE ${OWN}`);
  return (owner: Owner, counts: InboxCounts, { change, reopened = [], ...some }: CountsChange): InboxCounts => {
    const added = { ...NOTHING_ADDED, ...some };
    const changes = Number(change !== null);
    if (changes === 0 && Object.values(added).every((value) => value === 0)) {
      return counts;
    }
    add.run({ ...owner, ...added, changes, reopenedFrom: reopened.length > 0 ? Math.min(...reopened) : null });
    const { total, unread, unseen, rev } = counts;
    const after = {
      ...counts,
      total: total + added.total,
      unread: unread + added.unread,
      unseen: Math.max(unseen + added.unread - added.seenUnread, 0),
      rev: rev + changes,
    };
    if (change !== null && change !== "erased") {
      logChange(owner, after, change);
    }
    return after;
  };
}
