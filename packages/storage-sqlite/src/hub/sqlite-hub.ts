import type { Handler, HubEvent, HubPage, IdentifiedEvent, Identity, JsonObject, ProcessingRecord, SourceRecord } from "@belfry/core";
import type { ClaimedRecord, EndedRecord, HubRange, HubStorage, PlanProcessing, RecordClaim, RecordLease } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import type { HubQueries } from "./hub-queries.ts";

/** What the hub works with while its storage is open. */
export interface OpenHub {
  readonly connection: Connection;
  readonly hubQueries: HubQueries;
}

/** The hub in SQLite: gives every operation its transaction. */
export class SqliteHub implements HubStorage {
  readonly #current: () => OpenHub;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => OpenHub) {
    this.#current = current;
  }

  async createEvents(events: readonly HubEvent[], plan: PlanProcessing): Promise<readonly (readonly ProcessingRecord[])[]> {
    const { connection, hubQueries } = this.#current();
    return connection.write(() => hubQueries.writeEvents(events, plan));
  }

  async findEvents(tenant: string, ids: readonly string[]): Promise<readonly IdentifiedEvent[]> {
    const { connection, hubQueries } = this.#current();
    return connection.query(() => hubQueries.findEvents(tenant, ids));
  }

  async listEvents(
    tenant: string,
    query: HubRange & { readonly source?: string; readonly sender?: string },
  ): Promise<HubPage<IdentifiedEvent>> {
    const { connection, hubQueries } = this.#current();
    return connection.read(() => hubQueries.listEvents(tenant, query));
  }

  async listEventsSince(
    tenant: string,
    source: string,
    range: { readonly since: Date; readonly limit: number },
  ): Promise<readonly HubEvent[]> {
    const { connection, hubQueries } = this.#current();
    return connection.query(() => hubQueries.listEventsSince(tenant, source, range));
  }

  async recordsOf(tenant: string, notificationId: string): Promise<readonly ProcessingRecord[]> {
    const { connection, hubQueries } = this.#current();
    return connection.query(() => hubQueries.recordsOf(tenant, notificationId));
  }

  async findRecords(tenant: string, ids: readonly string[]): Promise<readonly ProcessingRecord[]> {
    const { connection, hubQueries } = this.#current();
    return connection.query(() => hubQueries.findRecords(tenant, ids));
  }

  async listSettledSince(
    tenant: string,
    source: string,
    range: { readonly since: Date; readonly limit: number },
  ): Promise<readonly SourceRecord[]> {
    const { connection, hubQueries } = this.#current();
    return connection.query(() => hubQueries.listSettledSince(tenant, source, range));
  }

  async acknowledgeEvent(tenant: string, notificationId: string, by: { readonly client: string; readonly at: Date }): Promise<boolean> {
    const { connection, hubQueries } = this.#current();
    return connection.write(() => hubQueries.acknowledgeEvent(tenant, notificationId, by));
  }

  async upsertIdentity(
    identity: Omit<Identity, "metadata"> & { readonly metadata: JsonObject | null },
  ): Promise<{ readonly identity: Identity; readonly isNew: boolean }> {
    const { connection, hubQueries } = this.#current();
    return connection.write(() => hubQueries.upsertIdentity(identity));
  }

  async findIdentity(tenant: string, id: string): Promise<Identity | null> {
    const { connection, hubQueries } = this.#current();
    return connection.query(() => hubQueries.findIdentity(tenant, id));
  }

  async findIdentityBySource(tenant: string, source: string, sourceId: string): Promise<Identity | null> {
    const { connection, hubQueries } = this.#current();
    return connection.query(() => hubQueries.findIdentityBySource(tenant, source, sourceId));
  }

  async listIdentities(tenant: string, query: HubRange & { readonly name?: string; readonly source?: string }): Promise<HubPage<Identity>> {
    const { connection, hubQueries } = this.#current();
    return connection.read(() => hubQueries.listIdentities(tenant, query));
  }

  async createHandler(handler: Handler): Promise<void> {
    const { connection, hubQueries } = this.#current();
    return connection.write(() => hubQueries.createHandler(handler));
  }

  async findHandler(tenant: string, id: string): Promise<Handler | null> {
    const { connection, hubQueries } = this.#current();
    return connection.query(() => hubQueries.findHandler(tenant, id));
  }

  async listHandlers(tenant: string, query: HubRange & { readonly source?: string }): Promise<HubPage<Handler>> {
    const { connection, hubQueries } = this.#current();
    return connection.read(() => hubQueries.listHandlers(tenant, query));
  }

  async updateHandler(
    tenant: string,
    id: string,
    change: { readonly source?: string; readonly prompt?: string; readonly filter?: JsonObject; readonly at: Date },
  ): Promise<Handler | null> {
    const { connection, hubQueries } = this.#current();
    return connection.write(() => hubQueries.updateHandler(tenant, id, change));
  }

  async deleteHandler(tenant: string, id: string): Promise<boolean> {
    const { connection, hubQueries } = this.#current();
    return connection.write(() => hubQueries.deleteHandler(tenant, id));
  }

  async claimRecords(request: RecordClaim): Promise<readonly ClaimedRecord[]> {
    const { connection, hubQueries } = this.#current();
    if (!(await connection.query(() => hubQueries.hasDueRecord(request.at)))) {
      return [];
    }
    return connection.write(() => hubQueries.claimRecords(request));
  }

  async recordsLeasedTo(owner: string): Promise<readonly ClaimedRecord[]> {
    const { connection, hubQueries } = this.#current();
    return connection.read(() => hubQueries.recordsLeasedTo(owner));
  }

  async renewRecords(
    owner: string,
    leases: readonly RecordLease[],
    options: { readonly at: Date; readonly leaseMs: number },
  ): Promise<readonly RecordLease[]> {
    const { connection, hubQueries } = this.#current();
    return connection.write(() => hubQueries.renewRecords(owner, leases, options));
  }

  async endRecords(owner: string, ended: readonly EndedRecord[], at: Date): Promise<readonly SourceRecord[]> {
    const { connection, hubQueries } = this.#current();
    return connection.write(() => hubQueries.endRecords(owner, ended, at));
  }

  async takeBackRecords(request: Parameters<HubStorage["takeBackRecords"]>[0]): Promise<readonly SourceRecord[]> {
    const { connection, hubQueries } = this.#current();
    // Most of the time no lease was lost: that is learned without a transaction.
    if ((await connection.query(() => hubQueries.lostLeases(request))).length === 0) {
      return [];
    }
    return connection.write(() => hubQueries.takeBackRecords(request));
  }

  async nextRecordDueInMs(at: Date): Promise<number | null> {
    const { connection, hubQueries } = this.#current();
    return connection.query(() => hubQueries.nextRecordDue(at));
  }
}
