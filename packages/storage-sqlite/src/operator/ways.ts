import { type SQL, sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import type { Statement } from "../database/statement.ts";
import { joinValue } from "../inbox/conditions.ts";
import { type FilterValues, MATCHES } from "./filter-values.ts";

/** Where a way has been followed to: what its statement takes as `at1` and `at2`. */
export type Position = readonly [at1: number, at2: number];

/** A notification that a way leads past. */
export interface Candidate {
  readonly pk: number;
  readonly id: string;
  readonly matches: boolean;
}

/** What one step along a way came to. */
export interface WayStep {
  readonly found: readonly Candidate[];
  /** Where it ended; null if that is the end. */
  readonly at: Position | null;
}

/** An index along which notifications are found, in steps. One that is found twice is the same one. */
export interface Way {
  /** How many entries it has for these values, counted up to `max`. */
  size(values: FilterValues, max: number): number;
  /** Up to `limit` entries after a position, null for the start. */
  next(values: FilterValues, after: Position | null, limit: number): WayStep;
}

/** Every way to notifications. */
export interface Ways {
  /** All of a tenant's sends. */
  readonly sends: Way;
  readonly sendsOfStatus: Way;
  readonly events: Way;
  readonly eventsOfSource: Way;
  /** Events of which the recipient is the sender. */
  readonly eventsOfSender: Way;
  /** Of one recipient. */
  readonly deliveries: Way;
  readonly items: Way;
}

type WayRow = readonly [matches: number, pk: number, id: string, at1: number, at2: number];
type WayValues = FilterValues & { readonly at1: number; readonly at2: number; readonly limit: number };

/** What one way consists of: the table `t`, which has the notification's key, in the order of an index of it. */
interface WayParts {
  readonly table: SQL;
  readonly where: SQL;
  /** The two columns, falling, that a position is of. */
  readonly columns: readonly [SQL, SQL];
}

const HIGHEST: Position = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** Prepares the ways. */
export function prepareWays(context: QueryContext): Ways {
  const sends = (condition: SQL) => prepareWay(context, byTime(sql`belfry_sends`, sql`created_at`, condition));
  const events = (condition: SQL) => prepareWay(context, byTime(sql`belfry_events`, sql`received_at`, condition));
  return {
    sends: sends(sql``),
    sendsOfStatus: sends(sql`and t.status = ${joinValue("status")}`),
    events: events(sql``),
    eventsOfSource: events(sql`and t.source = ${joinValue("type")}`),
    eventsOfSender: events(sql`and t.sender = ${joinValue("recipient")}`),
    deliveries: prepareWay(context, {
      table: sql`belfry_deliveries`,
      where: sql`t.tenant = ${joinValue("tenant")} and t.recipient = ${joinValue("recipient")}`,
      columns: [sql`t.notification_pk`, sql`t.pk`],
    }),
    items: prepareWay(context, {
      table: sql`belfry_inbox_items`,
      where: sql`t.tenant = ${joinValue("tenant")} and t.user_id = ${joinValue("recipient")}`,
      columns: [sql`t.seq`, sql`t.notification_pk`],
    }),
  };
}

/** A way along the time of creation, and within the filter's times. */
function byTime(table: SQL, time: SQL, condition: SQL): WayParts {
  const where = sql`t.tenant = ${joinValue("tenant")} ${condition} and t.${time} >= coalesce(${joinValue("from")}, 0)
    and t.${time} < coalesce(${joinValue("before")}, ${sql.raw(String(Number.MAX_SAFE_INTEGER))})`;
  return { table, where, columns: [sql`t.${time}`, sql`t.notification_pk`] };
}

function prepareWay({ prepare, prepareRows }: QueryContext, { table, where, columns }: WayParts): Way {
  const [first, second] = columns;
  const step = prepareRows<WayValues, WayRow>(sql`
    select ${MATCHES}, n.pk, n.id, ${first}, ${second} from ${table} t cross join belfry_notifications n on n.pk = t.notification_pk
    where ${where} and (${first}, ${second}) < (${joinValue("at1")}, ${joinValue("at2")})
    order by ${first} desc, ${second} desc limit ${sql.placeholder("limit")}`);
  const size: Statement<FilterValues & { readonly limit: number }, { readonly size: number }> = prepare(
    sql`select count(*) as size from (select 1 from ${table} t where ${where} limit ${sql.placeholder("limit")})`,
  );
  return {
    size: (values, max) => size.get({ ...values, limit: max })?.size ?? 0,
    next(values, after, limit) {
      const [at1, at2] = after ?? HIGHEST;
      const rows = step.all({ ...values, at1, at2, limit });
      const last = rows.at(-1);
      return {
        found: rows.map(([matches, pk, id]) => ({ matches: matches === 1, pk, id })),
        at: rows.length < limit || last === undefined ? null : [last[3], last[4]],
      };
    },
  };
}
