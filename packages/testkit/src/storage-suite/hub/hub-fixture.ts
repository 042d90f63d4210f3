import { type Handler, type HubEvent, type Identity, type ProcessingRecord, type SourceRecord, systemClock, uuidV7 } from "@belfry/core";
import type {
  ClaimedRecord,
  EndedRecord,
  HubStorage,
  LeaseRequest,
  LostLeaseQuery,
  NewProcessingRecord,
  PlanProcessing,
} from "@belfry/core/storage";
import { afterEach } from "vitest";
import { at, type Fixture, useFixture } from "../fixture.ts";
import type { Full } from "../full.ts";
import type { StorageHarness } from "../harness.ts";

const ids = uuidV7(systemClock);

/** After everything that the suite writes is due. */
export function later(seconds: number): Date {
  return new Date(Date.UTC(2026, 6, 1) + seconds * 1_000);
}

/** Has one record made for each handler of the event's source, with the handler's prompt. */
export const planEach: PlanProcessing = (_, handlers) => handlers.map(({ id, prompt }) => ({ id: ids.next(), handlerId: id, prompt }));

/** Has `count` records made, whatever handlers there are. */
export function planSome(count: number): PlanProcessing {
  return () => Array.from({ length: count }, (_, index): NewProcessingRecord => newRecord(`prompt ${index}`));
}

/** A record of a handler that nobody made. */
export function newRecord(prompt: string): NewProcessingRecord {
  return { id: ids.next(), handlerId: ids.next(), prompt };
}

/** A record as it is made with its event. */
export function madeRecord(event: HubEvent, { id, handlerId, prompt }: NewProcessingRecord): ProcessingRecord {
  return {
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
}

/** How an attempt at a claimed record ended. */
export function ended({ record, fence }: ClaimedRecord, more: Partial<EndedRecord> = {}): EndedRecord {
  return {
    id: record.id,
    fence,
    status: "COMPLETED",
    result: "done",
    error: null,
    inputTokens: null,
    outputTokens: null,
    dueInMs: null,
    ...more,
  };
}

/** An event of the test's tenant with no field at its default. */
export function fullEvent(fixture: HubFixture): Full<HubEvent> {
  const { id, tenant, receivedAt } = fixture.newEvent();
  const said = { source: "full source", sender: "full sender", content: "Full content" };
  return { id, tenant, ...said, metadata: { full: ["event", 1.5] }, receivedAt };
}

/** A handler of such events with no field at its default. */
export function fullHandler(fixture: HubFixture): Full<Handler> {
  const { id, tenant, createdAt } = fixture.newHandler();
  const filter = { full: { value: ["filter"], operator: "in" } };
  return { id, tenant, source: "full source", prompt: "Full prompt", filter, createdAt, updatedAt: at(9_001) };
}

/** The identity of the sender of such events with no field at its default. */
export function fullIdentity(fixture: HubFixture): Full<Identity> {
  const { id, tenant, createdAt } = fixture.newIdentity();
  const named = { source: "full source", sourceId: "full sender", name: "Full name" };
  return { id, tenant, ...named, metadata: { full: ["identity", 2.5] }, createdAt, updatedAt: at(9_002) };
}

/** An end of an attempt with no field at its default, which core would not give a record all at once. */
export function fullEnd(claimed: ClaimedRecord, lostAt: Date): Full<EndedRecord> {
  const said = { result: "full result", error: "full error" };
  const { record, fence } = claimed;
  return { id: record.id, fence, status: "FAILED", ...said, inputTokens: 321, outputTokens: 654, dueInMs: 987, lostAt, claimed };
}

/** The record of {@link fullHandler} on `event` after {@link fullEnd}. */
export function fullRecord(event: HubEvent, handler: Handler, made: { readonly id: string; readonly endedAt: Date }): Full<SourceRecord> {
  const { tenant, source } = event;
  const of = { notificationId: event.id, handlerId: handler.id, prompt: handler.prompt };
  const end = { status: "FAILED", result: "full result", error: "full error", inputTokens: 321, outputTokens: 654 } as const;
  return { id: made.id, tenant, source, ...of, ...end, attempt: 1, createdAt: event.receivedAt, completedAt: made.endedAt };
}

/** The preconditions of the test. */
export function present<Value>(value: Value | undefined): Value {
  if (value === undefined) {
    throw new Error("Nothing was claimed.");
  }
  return value;
}

/** A hub for the tests of a describe block; each test has a tenant of its own in it, and begins with nothing to process. */
export class HubFixture {
  readonly base: Fixture;

  constructor(base: Fixture) {
    this.base = base;
  }

  get hub(): HubStorage {
    return this.base.storage.hub;
  }

  get tenant(): string {
    return this.base.tenant;
  }

  /** An event of the test's tenant that was not written yet, a second later than what was made before. */
  newEvent(fields: Partial<HubEvent> = {}): HubEvent {
    const { id, tenant, createdAt } = this.base.entry([]).notification;
    return { id, tenant, source: "mail", sender: "u1", content: "Content", metadata: { a: 1 }, receivedAt: createdAt, ...fields };
  }

  async createEvent(fields: Partial<HubEvent> = {}, plan: PlanProcessing = planEach): Promise<HubEvent> {
    const event = this.newEvent(fields);
    await this.hub.createEvents([event], plan);
    return event;
  }

  /** Writes an event with `count` records and returns these. */
  async createRecords(count: number, fields: Partial<HubEvent> = {}): Promise<readonly ProcessingRecord[]> {
    const [records = []] = await this.hub.createEvents([this.newEvent(fields)], planSome(count));
    return records;
  }

  newIdentity(fields: Partial<Identity> = {}): Identity {
    const { id, tenant, createdAt } = this.base.entry([]).notification;
    return { id, tenant, source: "mail", sourceId: "u1", name: "Ann", metadata: { a: 1 }, createdAt, updatedAt: createdAt, ...fields };
  }

  async createIdentity(fields: Partial<Identity> = {}): Promise<Identity> {
    return (await this.hub.upsertIdentity(this.newIdentity(fields))).identity;
  }

  newHandler(fields: Partial<Handler> = {}): Handler {
    const { id, tenant, createdAt } = this.base.entry([]).notification;
    return { id, tenant, source: "mail", prompt: "A prompt", filter: { a: 1 }, createdAt, updatedAt: createdAt, ...fields };
  }

  async createHandler(fields: Partial<Handler> = {}): Promise<Handler> {
    const handler = this.newHandler(fields);
    await this.hub.createHandler(handler);
    return handler;
  }

  claim(at: Date, more: Partial<LeaseRequest> = {}): Promise<readonly ClaimedRecord[]> {
    return this.hub.leases.claim({ owner: "worker", at, leaseMs: 60_000, limit: 100, exceptTenants: [], ...more });
  }

  /** Takes lost records back, as a worker does. */
  async endLost(at: Date, { maxAttempts = 5, error = "The worker was lost.", ...more }: EndLost = {}): Promise<readonly SourceRecord[]> {
    return endLost(this.hub, { at, limit: 100, furthestMs: 60_000, ...more }, { maxAttempts, error });
  }

  /** Leaves nothing to process for the next test: claims and leases are of all tenants. */
  async settleAll(): Promise<void> {
    const at = later(10_000_000);
    while ((await this.endLost(at, { maxAttempts: 0, notOwnedBy: "nobody" })).length > 0) {
      // Until nobody holds anything.
    }
    for (let claimed = await this.claim(at); claimed.length > 0; claimed = await this.claim(at)) {
      const failed = claimed.map((one) => ended(one, { status: "FAILED", result: null, error: "Settled between tests." }));
      await this.hub.endRecords("worker", failed, at);
    }
  }
}

type EndLost = Partial<LostLeaseQuery> & { readonly maxAttempts?: number; readonly error?: string };

/** Ends the attempts of workers that lost their leases: tried again, or failed after too many. */
export async function endLost(
  hub: HubStorage,
  query: LostLeaseQuery,
  { maxAttempts, error }: { readonly maxAttempts: number; readonly error: string },
): Promise<readonly SourceRecord[]> {
  const taken: SourceRecord[] = [];
  for (const [owner, leases] of Map.groupBy(await hub.leases.lost(query), (lease) => lease.owner)) {
    const ends = leases.map(({ id, fence, until, attempt }): EndedRecord => {
      const isLast = attempt >= maxAttempts;
      const nothing = { result: null, inputTokens: null, outputTokens: null, dueInMs: isLast ? null : 0 };
      return { ...nothing, id, fence, status: isLast ? "FAILED" : "PENDING", error: isLast ? error : null, lostAt: until };
    });
    taken.push(...(await hub.endRecords(owner, ends, query.at)));
  }
  return taken;
}

/** Gives the tests of the enclosing describe block a hub. */
export function useHub(harness: StorageHarness): HubFixture {
  const fixture = new HubFixture(useFixture(harness));
  afterEach(() => fixture.settleAll());
  return fixture;
}
