import type { ActivityContent, ActivityFilter, ActivitySummary, AuditEntry, ChannelHealth } from "@belfry/core";
import type { ActivityItems, ActivityQuery, ActivityStorage, HealthWindow, NewAuditEntry } from "@belfry/core/storage";
import { turn } from "../database/turn.ts";
import { readHealth } from "./activity-health.ts";
import type { OpenActivity } from "./activity-queries.ts";
import { ActivitySearch } from "./activity-search.ts";
import type { ItemCounts } from "./items-of.ts";

/** How many summaries, and how many items, one step reads. */
const SUMMARIES_STEP = 50;
const ITEMS_STEP = 5_000;

/**
 * What an operator asks of SQLite. Its answers may take a look at a great many rows, and SQLite works in the host's own
 * thread: so they are made in short steps. What changes between two steps may be in the answer or not.
 */
export class SqliteActivity implements ActivityStorage {
  readonly #current: () => OpenActivity;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => OpenActivity) {
    this.#current = current;
  }

  async search(tenant: string, { after, limit, ...filter }: ActivityQuery): Promise<readonly ActivitySummary[]> {
    const search = new ActivitySearch(this.#current(), tenant, filter);
    const summaries: ActivitySummary[] = [];
    let last = after;
    let isOver = false;
    // Once more, if what was found was deleted before it was read: a page that is short means that there is no other.
    while (!isOver && summaries.length < limit) {
      const wanted = limit - summaries.length;
      const found = await search.newest(last, wanted);
      summaries.push(...(await this.#summaries(found.map(({ pk }) => pk))));
      last = found.at(-1)?.id;
      isOver = found.length < wanted;
    }
    return summaries;
  }

  async count(tenant: string, filter: ActivityFilter, max: number): Promise<number> {
    return new ActivitySearch(this.#current(), tenant, filter).count(max);
  }

  async find(tenant: string, id: string): Promise<ActivityContent | null> {
    const { connection, activityQueries } = this.#current();
    return connection.query(() => activityQueries.find(tenant, id));
  }

  async itemsOf(tenant: string, id: string, limit: number): Promise<ActivityItems> {
    const { connection, activityQueries } = this.#current();
    const items = await connection.read(() => activityQueries.itemsOf(tenant, id, limit));
    let [total, read] = [0, 0];
    for (let after: string | null = ""; after !== null; ) {
      const start: string = after;
      const part: ItemCounts = await connection.query(() => activityQueries.countItems({ tenant, id }, start, ITEMS_STEP));
      total += part.total;
      read += part.read;
      after = part.lastUser;
      await turn();
    }
    return { items, total, read };
  }

  async auditOf(tenant: string, id: string, limit: number): Promise<readonly AuditEntry[]> {
    const { connection, activityQueries } = this.#current();
    return connection.query(() => activityQueries.auditOf(tenant, id, limit));
  }

  async note(tenant: string, entry: NewAuditEntry, at: Date): Promise<void> {
    const { connection, activityQueries } = this.#current();
    return connection.write(() => activityQueries.writeAudit(tenant, at, entry));
  }

  health(tenant: string, window: HealthWindow, at: Date): Promise<readonly ChannelHealth[]> {
    return readHealth(this.#current(), tenant, { window, at });
  }

  /** Summaries of those that are still there. */
  async #summaries(pks: readonly number[]): Promise<readonly ActivitySummary[]> {
    const { connection, activityQueries } = this.#current();
    const summaries: ActivitySummary[] = [];
    for (let start = 0; start < pks.length; start += SUMMARIES_STEP) {
      const step = pks.slice(start, start + SUMMARIES_STEP);
      summaries.push(...(await connection.read(() => step.flatMap((pk) => activityQueries.summary(pk) ?? []))));
      await turn();
    }
    return summaries;
  }
}
