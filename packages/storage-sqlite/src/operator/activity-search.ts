import type { ActivityFilter } from "@belfry/core";
import { idRange } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import { turn } from "../database/turn.ts";
import { type FilterValues, filterValues } from "./filter-values.ts";
import { prepareWalk } from "./walk.ts";
import { type Candidate, type Position, prepareWays, type Way, type WayStep, type Ways } from "./ways.ts";

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
