import type { JsonObject } from "../foundation/json.ts";
import type {
  ClaimedRecord,
  EndedRecord,
  Handler,
  HubEvent,
  HubPage,
  HubRange,
  HubStorage,
  IdentifiedEvent,
  Identity,
  PlanProcessing,
  ProcessingRecord,
  SourceRecord,
} from "../hub/index.ts";
import { eventOf, notificationOf } from "./memory-event.ts";
import { MemoryHandlers } from "./memory-handlers.ts";
import { MemoryIdentities } from "./memory-identities.ts";
import { keepNotification } from "./memory-notification.ts";
import { page } from "./memory-page.ts";
import { MemoryRecord } from "./memory-record.ts";
import type { MemoryTenants } from "./memory-tenants.ts";

/** The hub's part of the memory storage. Nothing awaits: every method is one step of the event loop. */
export class MemoryHub implements HubStorage {
  readonly leases: HubStorage["leases"] = this.#makeLeases();
  readonly #tenants: MemoryTenants;
  readonly #identities = new MemoryIdentities();
  readonly #handlers = new MemoryHandlers();
  readonly #records = new Map<string, MemoryRecord>();
  /** The ids of records that are not COMPLETED or FAILED. */
  readonly #open = new Set<string>();
  readonly #recordsByEvent = new Map<string, readonly MemoryRecord[]>();
  readonly #acknowledged = new Map<string, Date>();

  constructor(tenants: MemoryTenants) {
    this.#tenants = tenants;
  }

  async createEvents(events: readonly HubEvent[], plan: PlanProcessing): Promise<readonly (readonly ProcessingRecord[])[]> {
    const isKnown = ({ tenant, id }: HubEvent) => this.#tenants.of(tenant).notification(id) !== undefined;
    // All plans before anything is written: one that throws leaves nothing.
    const planned = events
      .filter((event) => !isKnown(event))
      .map((event) => ({
        event,
        notification: keepNotification(notificationOf(event)),
        records: plan(event, this.#handlers.of(event.tenant, event.source)),
      }));
    for (const { event, notification, records } of planned) {
      if (!isKnown(event)) {
        this.#tenants.of(event.tenant).keep(notification);
        this.#addRecords(event, records);
      }
    }
    return events.map(({ tenant, id }) => this.#views(tenant, id));
  }

  async findEvents(tenant: string, ids: readonly string[]): Promise<readonly IdentifiedEvent[]> {
    return [...new Set(ids)].flatMap((id) => {
      const event = this.#event(tenant, id);
      return event ? [this.#identified(event)] : [];
    });
  }

  async listEvents(
    tenant: string,
    query: HubRange & { readonly source?: string; readonly sender?: string },
  ): Promise<HubPage<IdentifiedEvent>> {
    const events = this.#events(tenant).filter(
      ({ source, sender }) => (query.source ?? source) === source && (query.sender ?? sender) === sender,
    );
    const { items, total } = page(events, query);
    return { items: items.map((event) => this.#identified(event)), total };
  }

  async listEventsSince(
    tenant: string,
    source: string,
    range: { readonly since: Date; readonly limit: number },
  ): Promise<readonly HubEvent[]> {
    return this.#events(tenant)
      .filter((event) => event.source === source && event.receivedAt >= range.since)
      .toReversed()
      .toSorted((left, right) => left.receivedAt.getTime() - right.receivedAt.getTime())
      .slice(0, range.limit);
  }

  async recordsOf(tenant: string, notificationId: string): Promise<readonly ProcessingRecord[]> {
    return this.#views(tenant, notificationId);
  }

  async findRecords(tenant: string, ids: readonly string[]): Promise<readonly ProcessingRecord[]> {
    const records = [...new Set(ids)].flatMap((id) => this.#records.get(id.toLowerCase())?.view() ?? []);
    return records.filter((record) => record.tenant === tenant);
  }

  async listSettledSince(
    tenant: string,
    source: string,
    { since, limit }: { readonly since: Date; readonly limit: number },
  ): Promise<readonly SourceRecord[]> {
    return [...this.#records.values()]
      .map((record) => record.settled())
      .filter(
        (record) => record.tenant === tenant && record.source === source && record.completedAt !== null && record.completedAt >= since,
      )
      .toSorted((left, right) => Number(left.completedAt) - Number(right.completedAt))
      .slice(0, limit);
  }

  async acknowledgeEvent(tenant: string, notificationId: string, by: { readonly client: string; readonly at: Date }): Promise<boolean> {
    const event = this.#event(tenant, notificationId);
    if (event === null) {
      return false;
    }
    const key = JSON.stringify([tenant, event.id, by.client]);
    this.#acknowledged.set(key, this.#acknowledged.get(key) ?? by.at);
    return true;
  }

  async upsertIdentity(
    identity: Omit<Identity, "metadata"> & { readonly metadata: JsonObject | null },
  ): Promise<{ readonly identity: Identity; readonly isNew: boolean }> {
    return this.#identities.upsert(identity);
  }

  async findIdentity(tenant: string, id: string): Promise<Identity | null> {
    return this.#identities.find(tenant, id);
  }

  async findIdentityBySource(tenant: string, source: string, sourceId: string): Promise<Identity | null> {
    return this.#identities.findBySource(tenant, source, sourceId);
  }

  async listIdentities(tenant: string, query: HubRange & { readonly name?: string; readonly source?: string }): Promise<HubPage<Identity>> {
    return this.#identities.list(tenant, query);
  }

  async createHandler(handler: Handler): Promise<void> {
    this.#handlers.add(handler);
  }

  async findHandler(tenant: string, id: string): Promise<Handler | null> {
    return this.#handlers.find(tenant, id);
  }

  async listHandlers(tenant: string, query: HubRange & { readonly source?: string }): Promise<HubPage<Handler>> {
    return this.#handlers.list(tenant, query);
  }

  async updateHandler(
    tenant: string,
    id: string,
    change: { readonly source?: string; readonly prompt?: string; readonly filter?: JsonObject; readonly at: Date },
  ): Promise<Handler | null> {
    return this.#handlers.update(tenant, id, change);
  }

  async deleteHandler(tenant: string, id: string): Promise<boolean> {
    return this.#handlers.remove(tenant, id);
  }

  async endRecords(owner: string, ended: readonly EndedRecord[], at: Date): Promise<readonly SourceRecord[]> {
    return ended.flatMap(({ id, fence, lostAt, ...end }) => {
      const record = this.#records.get(id);
      if (!record?.isHeld(owner, fence) || (lostAt !== undefined && lostAt.getTime() !== record.leaseUntilMs)) {
        return [];
      }
      record.end(end, at.getTime());
      return [this.#settle(id, record)];
    });
  }

  #makeLeases(): HubStorage["leases"] {
    const open = () => this.#openRecords();
    return {
      claim: async ({ owner, at, leaseMs, limit, exceptTenants }) => {
        const due = open()
          .filter((record) => record.isDue(at.getTime()) && !exceptTenants.includes(record.view().tenant))
          .toSorted((left, right) => left.dueMs - right.dueMs)
          .slice(0, limit);
        for (const record of due) {
          record.claim(owner, at.getTime() + leaseMs);
        }
        return due.map((record) => this.#claimed(record));
      },
      leasedTo: async (owner) =>
        open()
          .filter(({ leaseOwner }) => leaseOwner === owner)
          .map((record) => this.#claimed(record)),
      renew: async (owner, leases, { at, leaseMs }) =>
        leases.filter(({ id, fence }) => this.#records.get(id)?.renew({ owner, fence }, at.getTime() + leaseMs) ?? false),
      lost: async ({ at, limit, furthestMs, notOwnedBy }) => {
        const atMs = at.getTime();
        const isLost = ({ leaseOwner, leaseUntilMs }: MemoryRecord) =>
          leaseOwner !== null &&
          (leaseUntilMs <= atMs || leaseUntilMs > atMs + furthestMs || (notOwnedBy !== undefined && leaseOwner !== notOwnedBy));
        return open()
          .filter(isLost)
          .slice(0, limit)
          .map((record) => record.lease());
      },
      nextDueInMs: async (at) => {
        const next = open().reduce((least, { nextMs }) => Math.min(least, nextMs), Number.POSITIVE_INFINITY);
        return next === Number.POSITIVE_INFINITY ? null : Math.max(0, next - at.getTime());
      },
    };
  }

  #addRecords(event: HubEvent, planned: ReturnType<PlanProcessing>): void {
    const records = planned.map(({ id, handlerId, prompt }) => {
      const record: ProcessingRecord = {
        id,
        tenant: event.tenant,
        notificationId: event.id,
        handlerId,
        prompt,
        status: "PENDING",
        result: null,
        error: null,
        attempt: 0,
        inputTokens: null,
        outputTokens: null,
        createdAt: event.receivedAt,
        completedAt: null,
      };
      return new MemoryRecord(record, event);
    });
    for (const record of records) {
      this.#records.set(record.view().id, record);
      this.#open.add(record.view().id);
    }
    this.#recordsByEvent.set(eventKey(event.tenant, event.id), records);
  }

  #settle(id: string, record: MemoryRecord): SourceRecord {
    if (!record.isOpen) {
      this.#open.delete(id);
    }
    return record.settled();
  }

  #openRecords(): readonly MemoryRecord[] {
    return [...this.#open].flatMap((id) => this.#records.get(id) ?? []);
  }

  #views(tenant: string, eventId: string): readonly ProcessingRecord[] {
    return (this.#recordsByEvent.get(eventKey(tenant, eventId)) ?? []).map((record) => record.view());
  }

  #claimed(record: MemoryRecord): ClaimedRecord {
    const view = record.view();
    return { record: view, fence: record.fence, event: this.#identified(this.#event(view.tenant, view.notificationId) as HubEvent) };
  }

  #event(tenant: string, id: string): HubEvent | null {
    const kept = this.#tenants.of(tenant).notification(id.toLowerCase());
    return kept?.notification.kind === "event" ? eventOf(kept.notification) : null;
  }

  /** Newest first. */
  #events(tenant: string): readonly HubEvent[] {
    const newestFirst = [...this.#tenants.of(tenant).newestFirst()];
    return newestFirst.flatMap(({ notification }) => (notification.kind === "event" ? [eventOf(notification)] : []));
  }

  #identified(event: HubEvent): IdentifiedEvent {
    const identity = this.#identities.findBySource(event.tenant, event.source, event.sender);
    return { ...event, identity: identity && { id: identity.id, name: identity.name } };
  }
}

function eventKey(tenant: string, id: string): string {
  return JSON.stringify([tenant, id.toLowerCase()]);
}
