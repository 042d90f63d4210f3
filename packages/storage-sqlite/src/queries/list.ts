import type { InboxCounts, InboxPage, InboxQuery, InboxStatus, Owner } from "@belfry/core";
import { type SQL, sql } from "drizzle-orm";
import type { QueryContext } from "../query-context.ts";
import { inboxCounters, inboxItems, notifications } from "../schema.ts";
import type { Statement } from "../statement.ts";
import { OWN_ITEMS, OWN_READ_UP_TO_SEQ } from "./conditions.ts";
import { prepareCounts } from "./counts.ts";
import { ITEM_COLUMNS, type ItemRow, toItem } from "./item-row.ts";

interface ListValues extends Owner {
  readonly type?: string | undefined;
  readonly before: number;
  readonly limit: number;
  readonly offset: number;
}

interface ListStatements {
  readonly page: Statement<ListValues, ItemRow>;
  readonly matching: Statement<Owner & { readonly type: string }, { readonly matching: number }>;
}

/** The statements per status, for all types and for one. */
type Variants = Readonly<Record<InboxStatus, { readonly allTypes: ListStatements; readonly oneType: ListStatements }>>;

const STATUS_CONDITION: Readonly<Record<InboxStatus, SQL>> = {
  all: sql``,
  // The first part ends the scan at the newest read mark.
  unread: sql`and ${inboxItems.seq} > ${OWN_READ_UP_TO_SEQ} and ${inboxItems.readAt} is null`,
  read: sql`and (${inboxItems.readAt} is not null or ${inboxItems.seq} <= ${OWN_READ_UP_TO_SEQ})`,
};

/** Reads a page of an inbox, newest first. */
export function prepareList(context: QueryContext) {
  const counts = prepareCounts(context);
  const variants = prepareVariants(context);
  return (owner: Owner, query: InboxQuery): InboxPage => {
    const state = counts(owner);
    const { page, matching } = variants[query.status][query.type === undefined ? "allTypes" : "oneType"];
    const ofStatus = countOf(state, query.status);
    const matched =
      query.type === undefined || ofStatus === 0 ? ofStatus : (matching.get({ ...owner, type: query.type })?.matching ?? 0);
    const offset = query.offset ?? 0;
    // No more rows than there are: a scan that has found them all stops before it has read the rest of the inbox.
    const limit = Math.min(query.limit, Math.max(0, matched - offset));
    const { type, before = Number.MAX_SAFE_INTEGER } = query;
    const rows = limit === 0 ? [] : page.all({ ...owner, type, before, limit, offset });
    return { items: rows.map((row) => toItem(row, owner)), counts: state, matching: matched };
  };
}

function countOf({ total, unread }: InboxCounts, status: InboxStatus): number {
  return { all: total, unread, read: total - unread }[status];
}

function prepareVariants(context: QueryContext): Variants {
  const ofType = sql`and ${inboxItems.type} = ${sql.placeholder("type")}`;
  const variant = (status: InboxStatus) => ({
    allTypes: prepareVariant(context, STATUS_CONDITION[status]),
    oneType: prepareVariant(context, sql`${STATUS_CONDITION[status]} ${ofType}`),
  });
  return { all: variant("all"), unread: variant("unread"), read: variant("read") };
}

function prepareVariant({ prepare }: QueryContext, filter: SQL): ListStatements {
  const matches = sql`${OWN_ITEMS} and ${inboxItems.deletedAt} is null ${filter}`;
  // The keys of the page first, under the table's own name, then the joins: what an offset skips is never looked up.
  const keys = sql`select * from ${inboxItems} where ${matches} and ${inboxItems.seq} < ${sql.placeholder("before")}
    order by ${inboxItems.seq} desc limit ${sql.placeholder("limit")} offset ${sql.placeholder("offset")}`;
  return {
    page: prepare(sql`
      select ${ITEM_COLUMNS}
      from (${keys}) as ${inboxItems}
      cross join ${inboxCounters} on ${inboxCounters.tenant} = ${inboxItems.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
      cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
      order by ${inboxItems.seq} desc`),
    matching: prepare(sql`select count(*) as matching from ${inboxItems} where ${matches}`),
  };
}
