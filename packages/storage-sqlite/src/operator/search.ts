import type { ActivityFilter } from "@belfry/core";
import { idRange } from "@belfry/core/storage";
import { type SQL, sql } from "drizzle-orm";
import { type Connection, turn } from "../database/connection.ts";
import type { QueryContext, Statement } from "../database/statement.ts";
import { joinValue } from "../inbox/conditions.ts";
import { type FilterValues, filterValues, MATCHES } from "./filter-values.ts";

/** How many entries one step looks at: a few milliseconds' work, in which nobody else gets a turn. */
const STEP = 1_000;
/** Ways with more entries than this are not followed to their end and sorted: so many are met soon enough while walking. */
const MAX_GATHERED = 20_000;
/** Above every id. */
const ABOVE_IDS = "~";

/**
 * One search for notifications. Where an index leads to few enough, those are gathered and sorted; else the tenant's
 * notifications are walked along, newest first, until enough have matched. Both go in steps.
 */
export class ActivitySearch {
  readonly #connection: Connection;
  readonly #values: FilterValues;
  readonly #lowest: string;
  readonly #below: string;

  constructor(connection: Connection, tenant: string, filter: ActivityFilter) {
    const { lowest, below } = idRange(filter);
    this.#connection = connection;
    this.#values = filterValues(tenant, filter);
    this.#lowest = filter.id ?? lowest ?? "";
    this.#below = filter.id === undefined ? (below ?? ABOVE_IDS) : `${filter.id}${ABOVE_IDS}`;
  }

  /** The newest that match and are older than `after`, newest first, up to `limit`. */
  async newest(after: string | undefined, limit: number): Promise<readonly Candidate[]> {
    const below = after !== undefined && after < this.#below ? after : this.#below;
    const ways = await this.#ways();
    if (ways === null) {
      return this.#walk(below, limit);
    }
    const gathered = [...(await this.#gather(ways)).values()].filter(({ id }) => id < below);
    return gathered.sort((left, right) => (left.id < right.id ? 1 : -1)).slice(0, limit);
  }

  /** How many match, counted up to `max`. */
  async count(max: number): Promise<number> {
    const ways = await this.#ways();
    return ways === null ? (await this.#walk(this.#below, max)).length : Math.min(max, (await this.#gather(ways)).size);
  }

  /** Those ways that lead to everything that matches, and to little else; null if all do lead to a lot. */
  async #ways(): Promise<readonly Way[] | null> {
    for (const ways of suitable(this.#values, this.#connection.prepared(prepareWays))) {
      let size = 0;
      for (const way of ways) {
        size += await this.#connection.query(() => way.size(this.#values, MAX_GATHERED + 1));
      }
      if (size <= MAX_GATHERED) {
        return ways;
      }
    }
    return null;
  }

  /** Everything that matches, by its key, in no particular order. */
  async #gather(ways: readonly Way[]): Promise<ReadonlyMap<number, Candidate>> {
    const gathered = new Map<number, Candidate>();
    for (const way of ways) {
      let at: Position | null = null;
      do {
        const after: Position | null = at;
        const step: WayStep = await this.#connection.query(() => way.next(this.#values, after, STEP));
        for (const candidate of step.found.filter(({ matches }) => matches)) {
          gathered.set(candidate.pk, candidate);
        }
        at = step.at;
        await turn();
      } while (at !== null);
    }
    return gathered;
  }

  async #walk(start: string, limit: number): Promise<readonly Candidate[]> {
    const found: Candidate[] = [];
    let below = start;
    let isOver = false;
    // Most of the time the first few match.
    for (let size = Math.min(STEP, limit); !isOver && found.length < limit; size = Math.min(STEP, 2 * size)) {
      const step = await this.#connection.query(() =>
        this.#connection.prepared(prepareWalk)(this.#values, { below, lowest: this.#lowest }, size),
      );
      found.push(...step.filter(({ matches }) => matches));
      isOver = step.length < size;
      below = step.at(-1)?.id ?? below;
      await turn();
    }
    return found.slice(0, limit);
  }
}

/** Which ways lead to everything that these values match, those that should be shortest first. */
function suitable({ id, recipient, status, kind, channel, type }: FilterValues, ways: Ways): readonly (readonly Way[])[] {
  const onlySends = kind === "send" || status !== null || (channel !== null && channel !== "inbox");
  const choices: readonly (readonly [isSuitable: boolean, ways: readonly Way[]])[] = [
    [recipient !== null, [ways.deliveries, ways.items, ways.eventsOfSender]],
    [status !== null, [ways.sendsOfStatus]],
    [onlySends && status === null, [ways.sends]],
    [kind === "event" && type !== null, [ways.eventsOfSource]],
    [kind === "event" && type === null, [ways.events]],
  ];
  // One id is found without any of them.
  return id === null ? choices.filter(([isSuitable]) => isSuitable).map(([, them]) => them) : [];
}

/** The ids that a step of a walk may come to. */
export interface WalkRange {
  /** Exclusive. */
  readonly below: string;
  /** Inclusive. */
  readonly lowest: string;
}

/** Reads a step of the tenant's notifications, newest first: up to `limit`, whether they match or not. */
export function prepareWalk({ prepareRows }: QueryContext) {
  const step = prepareRows<FilterValues & WalkRange & { readonly limit: number }, readonly [matches: number, pk: number, id: string]>(sql`
    select ${MATCHES}, n.pk, n.id from belfry_notifications n
    where n.tenant = ${joinValue("tenant")} and n.id < ${joinValue("below")} and n.id >= ${joinValue("lowest")}
    order by n.id desc limit ${sql.placeholder("limit")}`);
  return (values: FilterValues, range: WalkRange, limit: number): readonly Candidate[] =>
    step.all({ ...values, ...range, limit }).map(([matches, pk, id]) => ({ matches: matches === 1, pk, id }));
}

/** Where a way has been followed to: what its statement takes as `at1` and `at2`. */
export type Position = readonly [at1: number, at2: number];

/** A notification that a way leads past. */
export interface Candidate {
  readonly pk: number;
  readonly id: string;
  readonly matches: boolean;
}

/** The result of one step along a way. */
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

/** One way: the table `t`, which has the notification's key, in the order of one of its indexes. */
interface WayParts {
  readonly table: SQL;
  readonly where: SQL;
  /** The two columns, falling, that a position is of. */
  readonly columns: readonly [SQL, SQL];
}

const HIGHEST: Position = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** Prepares the ways. */
export function prepareWays(context: QueryContext): Ways {
  const sends = (condition: SQL) => prepareWay(context, byTime(sql`belfry_trackings`, sql`created_at`, condition));
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
