import type { InboxCounts, InboxItem, InboxPosition, InboxStatus, ItemRef, Owner } from "@belfry/core";
import type { InboxPage, InboxQuery, InboxTail, PageBounds } from "@belfry/core/storage";
import { type SQL, sql } from "drizzle-orm";
import { type QueryContext, type Statement, takeBytes } from "../database/statement.ts";
import { inboxCounters, inboxItems, notifications } from "../schema.ts";
import { IS_READ, IS_UNREAD, joinValue } from "./conditions.ts";
import { prepareInboxState, type ReadState } from "./inbox-state.ts";
import { ITEM_COLUMNS, type ItemRow, prepareFindItem, prepareReadTimes, toItem } from "./item-row.ts";

interface MatchValues extends Owner, ReadState {
  readonly unreadAfterSeq: number;
  readonly type: string | undefined;
}

interface PageValues extends MatchValues {
  readonly before: number;
  readonly limit: number;
}

/** The statements of one combination of filters. */
interface ListStatements {
  /** How many items match. */
  readonly matching: Statement<MatchValues, { readonly matching: number }>;
  /** The number of the last matching item that an offset skips. */
  readonly lastSkipped: Statement<MatchValues & { readonly skipped: number }, { readonly seq: number }>;
  readonly page: Statement<PageValues, ItemRow>;
}

type ListVariants = Readonly<Record<InboxStatus, { readonly allTypes: ListStatements; readonly oneType: ListStatements }>>;

/** Reads a page of an inbox, newest first. */
export function prepareList(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const variants = prepareVariants(context);
  return (owner: Owner, query: InboxQuery): InboxPage => {
    const { counts, ...state } = inboxState(owner);
    const statements = variants[query.status][query.type === undefined ? "allTypes" : "oneType"];
    const values: MatchValues = { ...owner, ...state, type: query.type };
    const ofStatus = countOf(counts, query.status);
    const matching = query.type === undefined || ofStatus === 0 ? ofStatus : (statements.matching.get(values)?.matching ?? 0);
    const rows = pageRows(statements, values, { query, matching });
    const readTime = readTimes(owner, state);
    return { items: rows.map((row) => toItem(row, owner, readTime)), counts, matching };
  };
}

function countOf({ total, unread }: InboxCounts, status: InboxStatus): number {
  return { all: total, unread, read: total - unread }[status];
}

function pageRows(
  { lastSkipped, page }: ListStatements,
  values: MatchValues,
  { query, matching }: { readonly query: InboxQuery; readonly matching: number },
): readonly ItemRow[] {
  const offset = query.offset ?? 0;
  // No more rows than there are: a scan that has found them all stops before it has read the rest of the inbox.
  const limit = Math.min(query.limit, matching - offset);
  if (limit <= 0) {
    return [];
  }
  // Rows that an offset skips are read by key alone, never joined.
  const before = offset === 0 ? query.before : lastSkipped.get({ ...values, skipped: offset - 1 })?.seq;
  return page.all({ ...values, before: before ?? Number.MAX_SAFE_INTEGER, limit });
}

function prepareVariants(context: QueryContext): ListVariants {
  const statuses = {
    all: sql``,
    unread: sql`and ${IS_UNREAD}`,
    read: sql`and ${IS_READ}`,
  };
  const ofType = sql`and ${inboxItems.type} = ${joinValue("type")}`;
  const variant = (status: InboxStatus) => ({
    allTypes: prepareStatements(context, statuses[status]),
    oneType: prepareStatements(context, sql`${statuses[status]} ${ofType}`),
  });
  return { all: variant("all"), unread: variant("unread"), read: variant("read") };
}

function prepareStatements({ prepare, prepareRows }: QueryContext, filter: SQL): ListStatements {
  const matches = sql`${inboxItems.tenant} = ${joinValue("tenant")} and ${inboxItems.userId} = ${joinValue("userId")}
    and ${inboxItems.deletedAt} is null ${filter}`;
  return {
    matching: prepare(sql`select count(*) as matching from ${inboxItems} where ${matches}`),
    lastSkipped: prepare(sql`
      select ${inboxItems.seq} from ${inboxItems} where ${matches}
      order by ${inboxItems.seq} desc limit 1 offset ${sql.placeholder("skipped")}`),
    page: prepareRows(sql`
      select ${ITEM_COLUMNS}
      from ${inboxItems} cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
      where ${matches} and ${inboxItems.seq} < ${joinValue("before")}
      order by ${inboxItems.seq} desc limit ${sql.placeholder("limit")}`),
  };
}

/** Reads the items that came after a number, oldest first. */
export function prepareListAfter(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const tail = context.prepareRows<Owner & { readonly seq: number; readonly limit: number }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${inboxItems} cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
    where ${inboxItems.tenant} = ${joinValue("tenant")} and ${inboxItems.userId} = ${joinValue("userId")}
      and ${inboxItems.seq} > ${joinValue("seq")} and ${inboxItems.deletedAt} is null
    order by ${inboxItems.seq} limit ${sql.placeholder("limit")}`);
  return (owner: Owner, seq: number, { limit, bytes }: PageBounds): InboxTail => {
    const state = inboxState(owner);
    const isAnyLeft = state.counts.lastSeq > seq && limit > 0;
    const rows = isAnyLeft ? takeBytes(tail.iterate({ ...owner, seq, limit }), { bytes, of: rowBytes }) : [];
    const readTime = readTimes(owner, state);
    return { items: rows.map((row) => toItem(row, owner, readTime)), counts: state.counts };
  };
}

function rowBytes([, , title, message, data]: ItemRow): number {
  return title.length + message.length + data.length;
}

type TenantItemRow = readonly [userId: string, readUpToSeq: number, ...item: ItemRow];

/** Reads the newest items of all of a tenant's inboxes: along the notifications' ids, which sort by time. */
export function prepareListTenant(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const newest = context.prepareRows<{ readonly tenant: string; readonly limit: number }, TenantItemRow>(sql`
    select ${inboxItems.userId}, ${inboxCounters.readUpToSeq}, ${ITEM_COLUMNS}
    from ${notifications}
    cross join ${inboxItems} on ${inboxItems.notificationPk} = ${notifications.pk}
    cross join ${inboxCounters} on ${inboxCounters.tenant} = ${inboxItems.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
    where ${notifications.tenant} = ${joinValue("tenant")} and ${inboxItems.deletedAt} is null
    order by ${notifications.id} desc, ${inboxItems.userId} limit ${sql.placeholder("limit")}`);
  return (tenant: string, limit: number): readonly InboxItem[] =>
    newest.all({ tenant, limit }).map(([userId, readUpToSeq, ...row]) => {
      const owner = { tenant, userId };
      return toItem(row, owner, readTimes(owner, { readUpToSeq }));
    });
}

/** Reads the counts of an inbox. */
export function prepareCounts(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  return (owner: Owner): InboxCounts => inboxState(owner).counts;
}

/** Reads one item of an inbox. */
export function prepareGet(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  return (owner: Owner, ref: ItemRef, { includeDeleted = false }: { readonly includeDeleted?: boolean } = {}): InboxItem | null => {
    const found = findItem(owner, inboxState(owner), ref);
    return found === undefined || (found.isDeleted && !includeDeleted) ? null : found.item;
  };
}

/** Reads the last number and the epoch of several inboxes, each one row by its key. */
export function preparePositions(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  return (owners: readonly Owner[]): readonly InboxPosition[] =>
    owners.map((owner) => {
      const { lastSeq, epoch } = inboxState(owner).counts;
      return { seq: lastSeq, epoch };
    });
}
