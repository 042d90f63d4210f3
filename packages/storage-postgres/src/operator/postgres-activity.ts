import type { ActivityContent, ActivityFilter, ActivitySummary, AuditEntry, ChannelHealth } from "@belfry/core";
import type { ActivityItems, ActivityQuery, ActivityStorage, HealthWindow, NewAuditEntry } from "@belfry/core/storage";
import { wrapError } from "../database/errors.ts";
import type { TimeSource } from "../delivery/postgres-deliveries.ts";
import type { OpenActivity } from "./activity-queries.ts";

/** What an operator asks of PostgreSQL: each question is a statement or two, each on its own connection. */
export class PostgresActivity implements ActivityStorage {
  readonly #current: () => OpenActivity;
  readonly #time: TimeSource;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => OpenActivity, time: TimeSource) {
    this.#current = current;
    this.#time = time;
  }

  search(tenant: string, query: ActivityQuery): Promise<readonly ActivitySummary[]> {
    return this.#run(({ connection, activityQueries }) => activityQueries.search(connection, tenant, query));
  }

  count(tenant: string, filter: ActivityFilter, max: number): Promise<number> {
    return this.#run(({ connection, activityQueries }) => activityQueries.count(connection, tenant, { filter, max }));
  }

  find(tenant: string, id: string): Promise<ActivityContent | null> {
    return this.#run(({ connection, activityQueries }) => activityQueries.find(connection, tenant, id));
  }

  itemsOf(tenant: string, id: string, limit: number): Promise<ActivityItems> {
    return this.#run(({ connection, activityQueries }) => activityQueries.itemsOf(connection, tenant, { id, limit }));
  }

  auditOf(tenant: string, id: string, limit: number): Promise<readonly AuditEntry[]> {
    return this.#run(({ connection, activityQueries }) => activityQueries.auditOf(connection, tenant, { id, limit }));
  }

  note(tenant: string, entry: NewAuditEntry, at: Date): Promise<void> {
    return this.#run(({ connection, activityQueries }) => activityQueries.writeAudit(connection, [{ ...entry, tenant }], this.#at(at)));
  }

  health(tenant: string, window: HealthWindow, at: Date): Promise<readonly ChannelHealth[]> {
    return this.#run(({ connection, activityQueries }) => activityQueries.health(connection, tenant, { window, at: this.#at(at) }));
  }

  /** What statements take for now: the service's time, or null for the database's own. */
  #at(at: Date): string | null {
    return this.#time === "service" ? at.toISOString() : null;
  }

  async #run<Result>(work: (open: OpenActivity) => Promise<Result>): Promise<Result> {
    const open = this.#current();
    try {
      return await open.connection.retryingConflicts(() => work(open));
    } catch (error) {
      throw wrapError(error);
    }
  }
}
