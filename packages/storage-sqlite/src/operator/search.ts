import {
  type Conditions,
  conditionsOf,
  isCut,
  MAX_GATHERED,
  type SearchText,
  type SqlFilter,
  searchText,
  suitableWays,
  type WayName,
} from "@belfry/storage-sql";
import { type Connection, turn } from "../database/connection.ts";
import { ask, DIALECT, TABLES } from "../database/sql.ts";

/** How many entries one step looks at: a few milliseconds' work, in which nobody else gets a turn. */
const STEP = 1_000;
/** Above every id. */
const ABOVE_IDS = "~";
/** Above every number and text, in SQL. */
const ABOVE_ALL = "x''";

/** A notification that a step looked at. */
interface Candidate {
  readonly pk: number;
  readonly id: string;
  /** 1 if it matches. */
  readonly matches: number;
}

/** A candidate along a way, and its place there, which has as many parts as the way's order. */
interface WayCandidate extends Candidate, Readonly<Partial<Record<`at${number}`, number | string>>> {}

/**
 * One search for notifications. If an index leads to few enough, it gathers and sorts them; else it walks along the
 * tenant's notifications, newest first, until enough have matched. Both go in steps.
 */
export class ActivitySearch {
  readonly #connection: Connection;
  readonly #conditions: Conditions;
  readonly #text: SearchText;

  /** @param search the filter and, if given, the notification that all results must be older than */
  constructor(connection: Connection, tenant: string, search: { readonly filter: SqlFilter; readonly after?: string | undefined }) {
    this.#connection = connection;
    this.#conditions = conditionsOf(search.filter, search.after);
    this.#text = searchText(tenant, this.#conditions, { ...DIALECT, tables: TABLES });
  }

  /** The newest matches, newest first, up to `limit`. */
  async newest(limit: number): Promise<readonly Candidate[]> {
    const ways = await this.#ways();
    if (ways === null) {
      return this.#walk(limit);
    }
    const gathered = [...(await this.#gather(ways)).values()];
    return gathered.sort((left, right) => (left.id < right.id ? 1 : -1)).slice(0, limit);
  }

  /** How many match, counted up to `max`. */
  async count(max: number): Promise<number> {
    const ways = await this.#ways();
    return ways === null ? (await this.#walk(max)).length : Math.min(max, (await this.#gather(ways)).size);
  }

  /** The ways that lead to all matches and little else; null if every choice leads to too much. */
  async #ways(): Promise<readonly WayName[] | null> {
    for (const ways of suitableWays(this.#conditions)) {
      let size = 0;
      for (const { table, where, order } of ways.map((way) => this.#text.way(way))) {
        // Naming the order's column makes SQLite count along the index that the steps use.
        const entries = `SELECT 1 FROM ${table} t WHERE ${where} AND ${order[0]} < ${ABOVE_ALL} LIMIT ${MAX_GATHERED + 1}`;
        const text = `SELECT count(*) AS size FROM (${entries})`;
        const [counted] = await this.#ask<{ readonly size: number }>(text);
        size += counted?.size ?? 0;
      }
      if (size <= MAX_GATHERED || isCut(ways)) {
        return ways;
      }
    }
    return null;
  }

  /** All matches by key, in no particular order. */
  async #gather(ways: readonly WayName[]): Promise<ReadonlyMap<number, Candidate>> {
    const gathered = new Map<number, Candidate>();
    const matches = this.#text.matches(this.#text.notMetBy(ways));
    for (const way of ways) {
      let last: WayCandidate | undefined;
      let looked = 0;
      do {
        const step: readonly WayCandidate[] = await this.#along(way, matches, last);
        for (const candidate of step.filter((one) => one.matches === 1)) {
          gathered.set(candidate.pk, candidate);
        }
        looked += step.length;
        last = step.length < STEP || looked >= MAX_GATHERED ? undefined : step.at(-1);
        await turn();
      } while (last !== undefined);
    }
    return gathered;
  }

  /** The next step along a way: all notifications on it, matching or not. */
  #along(name: WayName, matches: string, after: WayCandidate | undefined): Promise<readonly WayCandidate[]> {
    const { table, where, order } = this.#text.way(name);
    const places = order.map((column, part) => `${column} AS at${part}`);
    const bounds = order.map((_, part) => (after === undefined ? ABOVE_ALL : this.#more(part + 1)));
    const text = `SELECT ${matches} AS matches, n.pk, n.id, ${places.join(", ")}
      FROM ${table} t CROSS JOIN belfry_notifications n ON n.pk = t.notification_pk
      WHERE ${where} AND (${order.join(", ")}) < (${bounds.join(", ")})
      ORDER BY ${order.map((column) => `${column} DESC`).join(", ")} LIMIT ${STEP}`;
    return this.#ask(text, ...(after === undefined ? [] : order.map((_, part) => after[`at${part}`])));
  }

  async #walk(limit: number): Promise<readonly Candidate[]> {
    const { id, type, below: end = ABOVE_IDS, lowest = "" } = this.#conditions;
    // Without statistics SQLite prefers the index of fewer columns, and would look at other types.
    const along = type === undefined ? "" : " INDEXED BY belfry_notifications_tenant_type";
    const text = `SELECT ${this.#text.matches()} AS matches, n.pk, n.id FROM belfry_notifications n${along}
      WHERE ${this.#text.matches(this.#text.names.filter((name) => name === "type"))} AND n.id < ${this.#more(1)} AND n.id >= ${this.#more(2)} ORDER BY n.id DESC LIMIT ${this.#more(3)}`;
    const found: Candidate[] = [];
    let below = id === undefined ? end : `${id}${ABOVE_IDS}`;
    let isOver = false;
    // Usually the first few match.
    for (let size = Math.min(STEP, limit); !isOver && found.length < limit; size = Math.min(STEP, 2 * size)) {
      const step = await this.#ask<Candidate>(text, below, id ?? lowest, size);
      found.push(...step.filter(({ matches }) => matches === 1));
      isOver = step.length < size;
      below = step.at(-1)?.id ?? below;
      await turn();
    }
    return found.slice(0, limit);
  }

  /** The parameter of a value after those of the conditions. */
  #more(place: number): string {
    return `$${this.#text.values.length + place}`;
  }

  async #ask<Row extends object>(text: string, ...more: readonly unknown[]): Promise<readonly Row[]> {
    return this.#connection.query(() => ask<Row>(this.#connection, text, [...this.#text.values, ...more]));
  }
}
