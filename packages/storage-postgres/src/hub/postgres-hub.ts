import type { Handler, HubEvent, HubPage, IdentifiedEvent, Identity, JsonObject, ProcessingRecord, SourceRecord } from "@belfry/core";
import type { ClaimedRecord, EndedRecord, HubRange, HubStorage, PlanProcessing, RecordClaim, RecordLease } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import { wrapError } from "../database/errors.ts";
import type { TimeSource } from "../delivery/postgres-deliveries.ts";
import type { HubQueries } from "./hub-queries.ts";

/** What the hub works with while its storage is open. */
export interface OpenHub {
  readonly connection: Connection;
  readonly hubQueries: HubQueries;
}

/** The hub in PostgreSQL. Every operation is one statement that writes, or one that reads: a transaction by itself. */
export class PostgresHub implements HubStorage {
  readonly #current: () => OpenHub;
  readonly #time: TimeSource;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => OpenHub, time: TimeSource) {
    this.#current = current;
    this.#time = time;
  }

  createEvents(events: readonly HubEvent[], plan: PlanProcessing): Promise<readonly (readonly ProcessingRecord[])[]> {
    const options = { plan, isServiceTime: this.#time === "service" };
    return this.#run(({ connection, hubQueries }) => hubQueries.writeEvents(connection, events, options));
  }

  findEvents(tenant: string, ids: readonly string[]): Promise<readonly IdentifiedEvent[]> {
    return this.#run(({ connection, hubQueries }) => hubQueries.findEvents(connection, tenant, ids));
  }

  listEvents(tenant: string, query: HubRange & { readonly source?: string; readonly sender?: string }): Promise<HubPage<IdentifiedEvent>> {
    return this.#run(({ connection, hubQueries }) => hubQueries.listEvents(connection, tenant, query));
  }

  listEventsSince(tenant: string, source: string, range: { readonly since: Date; readonly limit: number }): Promise<readonly HubEvent[]> {
    return this.#run(({ connection, hubQueries }) => hubQueries.listEventsSince(connection, { tenant, source }, range));
  }

  recordsOf(tenant: string, notificationId: string): Promise<readonly ProcessingRecord[]> {
    return this.#run(async ({ connection, hubQueries }) => {
      const [records = []] = await hubQueries.recordsOf(connection, [{ tenant, id: notificationId }]);
      return records;
    });
  }

  findRecords(tenant: string, ids: readonly string[]): Promise<readonly ProcessingRecord[]> {
    return this.#run(({ connection, hubQueries }) => hubQueries.findRecords(connection, tenant, ids));
  }

  listSettledSince(
    tenant: string,
    source: string,
    range: { readonly since: Date; readonly limit: number },
  ): Promise<readonly SourceRecord[]> {
    return this.#run(({ connection, hubQueries }) => hubQueries.listSettledSince(connection, { tenant, source }, range));
  }

  acknowledgeEvent(tenant: string, notificationId: string, by: { readonly client: string; readonly at: Date }): Promise<boolean> {
    return this.#run(({ connection, hubQueries }) => hubQueries.acknowledgeEvent(connection, { tenant, id: notificationId }, by));
  }

  upsertIdentity(
    identity: Omit<Identity, "metadata"> & { readonly metadata: JsonObject | null },
  ): Promise<{ readonly identity: Identity; readonly isNew: boolean }> {
    return this.#run(({ connection, hubQueries }) => hubQueries.upsertIdentity(connection, identity));
  }

  findIdentity(tenant: string, id: string): Promise<Identity | null> {
    return this.#run(({ connection, hubQueries }) => hubQueries.findIdentity(connection, tenant, id));
  }

  findIdentityBySource(tenant: string, source: string, sourceId: string): Promise<Identity | null> {
    return this.#run(({ connection, hubQueries }) => hubQueries.findIdentityBySource(connection, { tenant, source, sourceId }));
  }

  listIdentities(tenant: string, query: HubRange & { readonly name?: string; readonly source?: string }): Promise<HubPage<Identity>> {
    return this.#run(({ connection, hubQueries }) => hubQueries.listIdentities(connection, tenant, query));
  }

  createHandler(handler: Handler): Promise<void> {
    return this.#run(({ connection, hubQueries }) => hubQueries.createHandler(connection, handler));
  }

  findHandler(tenant: string, id: string): Promise<Handler | null> {
    return this.#run(({ connection, hubQueries }) => hubQueries.findHandler(connection, { tenant, id }));
  }

  listHandlers(tenant: string, query: HubRange & { readonly source?: string }): Promise<HubPage<Handler>> {
    return this.#run(({ connection, hubQueries }) => hubQueries.listHandlers(connection, tenant, query));
  }

  updateHandler(
    tenant: string,
    id: string,
    change: { readonly source?: string; readonly prompt?: string; readonly filter?: JsonObject; readonly at: Date },
  ): Promise<Handler | null> {
    return this.#run(({ connection, hubQueries }) => hubQueries.updateHandler(connection, { tenant, id }, change));
  }

  deleteHandler(tenant: string, id: string): Promise<boolean> {
    return this.#run(({ connection, hubQueries }) => hubQueries.deleteHandler(connection, { tenant, id }));
  }

  claimRecords(request: RecordClaim): Promise<readonly ClaimedRecord[]> {
    return this.#run(({ connection, hubQueries }) => hubQueries.claimRecords(connection, request, this.#at(request.at)));
  }

  recordsLeasedTo(owner: string): Promise<readonly ClaimedRecord[]> {
    return this.#run(({ connection, hubQueries }) => hubQueries.recordsLeasedTo(connection, owner));
  }

  renewRecords(
    owner: string,
    leases: readonly RecordLease[],
    { at, leaseMs }: { readonly at: Date; readonly leaseMs: number },
  ): Promise<readonly RecordLease[]> {
    const options = { owner, leaseMs, at: this.#at(at) };
    return this.#run(({ connection, hubQueries }) => hubQueries.renewRecords(connection, leases, options));
  }

  endRecords(owner: string, ended: readonly EndedRecord[], at: Date): Promise<readonly SourceRecord[]> {
    return this.#run(({ connection, hubQueries }) => hubQueries.endRecords(connection, owner, { ended, at: this.#at(at) }));
  }

  takeBackRecords(request: Parameters<HubStorage["takeBackRecords"]>[0]): Promise<readonly SourceRecord[]> {
    return this.#run(({ connection, hubQueries }) => hubQueries.takeBackRecords(connection, request, this.#at(request.at)));
  }

  nextRecordDueInMs(at: Date): Promise<number | null> {
    return this.#run(({ connection, hubQueries }) => hubQueries.nextRecordDue(connection, this.#at(at)));
  }

  /** What statements take for now: the service's time, or null for the database's own. */
  #at(at: Date): string | null {
    return this.#time === "service" ? at.toISOString() : null;
  }

  async #run<Result>(work: (open: OpenHub) => Promise<Result>): Promise<Result> {
    const open = this.#current();
    try {
      return await open.connection.retryingConflicts(() => work(open));
    } catch (error) {
      throw wrapError(error);
    }
  }
}
