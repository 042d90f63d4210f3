import type { HubEvent, SourceRecord } from "@belfry/core";
import type { ClaimedRecord, HubStorage } from "@belfry/core/storage";
import { expect } from "vitest";
import type { Fixture } from "../fixture.ts";
import { recordLeasesOf } from "./hub-leases.ts";
import { type HubModel, recordOf, sourceRecordOf } from "./hub-model.ts";
import { HUB_WORKERS, type HubLook, SOURCES } from "./hub-operations.ts";
import { choose, expectSame } from "./same.ts";

const EVERYTHING = { offset: 0, limit: 10_000 } as const;
const NOBODYS_ID = "0198c000-0000-7000-8000-000000000000";

/** Compares what a storage's hub reads with what the model has. */
export class HubChecks {
  readonly #fixture: Fixture;
  readonly #model: HubModel;
  readonly #tenants: readonly string[];

  constructor(fixture: Fixture, model: HubModel, tenants: readonly string[]) {
    this.#fixture = fixture;
    this.#model = model;
    this.#tenants = tenants;
  }

  /** Compares all records and events, and what `look` names. */
  async check(look: HubLook, now: Date): Promise<void> {
    await Promise.all([...this.#tenants.map((tenant) => this.#checkRecords(tenant)), this.#checkOne(look, now)]);
  }

  #checkOne(look: HubLook, now: Date): Promise<void> {
    const tenant = this.#tenants[look.tenant] ?? "";
    switch (look.at) {
      case "handlers":
        return this.#checkHandlers(tenant, look);
      case "leases":
        return this.#checkLeases(HUB_WORKERS[look.worker] ?? "", now);
      case "settled":
        return this.#checkSettled(tenant, look);
      case "found":
        return this.#checkFound(tenant, choose(this.#model.events, look.pick));
    }
  }

  get #hub(): HubStorage {
    return this.#fixture.storage.hub;
  }

  async #checkRecords(tenant: string): Promise<void> {
    const records = this.#model.records.filter((record) => record.tenant === tenant).map(recordOf);
    const events = this.#model.events.filter((event) => event.tenant === tenant);
    const [found, listed] = await Promise.all([
      this.#hub.findRecords(tenant, [...records.map(({ id }) => id), NOBODYS_ID]),
      this.#hub.listEvents(tenant, EVERYTHING),
    ]);
    expectSame(found.toSorted(byId), records.toSorted(byId));
    expectSame(listed, { items: events.map((event) => ({ ...event, identity: null })).toReversed(), total: events.length });
  }

  async #checkHandlers(tenant: string, { source, offset, limit, pick }: HubLook): Promise<void> {
    const name = SOURCES[source] ?? "";
    const all = this.#model.handlers.filter((handler) => handler.tenant === tenant).toReversed();
    const ofSource = all.filter((handler) => handler.source === name);
    const one = choose(all, pick);
    expectSame(await this.#hub.listHandlers(tenant, EVERYTHING), { items: all, total: all.length });
    expectSame(await this.#hub.listHandlers(tenant, { source: name, offset, limit }), {
      items: ofSource.slice(offset, offset + limit),
      total: ofSource.length,
    });
    expectSame(await this.#hub.findHandler(tenant, one?.id ?? NOBODYS_ID), one ?? null);
  }

  async #checkLeases(owner: string, now: Date): Promise<void> {
    const leases = recordLeasesOf(this.#hub);
    const expected = this.#model.records
      .filter((record) => record.owner === owner)
      .map((record): ClaimedRecord => ({ record: recordOf(record), fence: record.fence, event: { ...record.event, identity: null } }));
    const byRecord = (left: ClaimedRecord, right: ClaimedRecord) => byId(left.record, right.record);
    expectSame((await leases.leasedTo(owner)).toSorted(byRecord), expected.toSorted(byRecord));
    expect(await leases.nextDueInMs(now)).toBe(this.#model.nextDueInMs(now));
  }

  async #checkSettled(tenant: string, { source, pick }: HubLook): Promise<void> {
    const name = SOURCES[source] ?? "";
    const all = this.#model.records.flatMap((record) => {
      const isOf = record.tenant === tenant && record.source === name && record.completedAt !== null;
      return isOf ? [sourceRecordOf(record)] : [];
    });
    const since = choose(all, pick)?.completedAt ?? new Date(0);
    const expected = all.filter(({ completedAt }) => completedAt !== null && completedAt >= since);
    const range = { since, limit: EVERYTHING.limit, bytes: 1_000_000 };
    const { items: settled } = await this.#hub.listSettledSince(tenant, name, range);
    const times = settled.map(timeOf);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    expectSame(settled.toSorted(byId), expected.toSorted(byId));
  }

  async #checkFound(tenant: string, event: HubEvent | undefined): Promise<void> {
    const isOwn = event?.tenant === tenant;
    const id = event?.id ?? NOBODYS_ID;
    expectSame(await this.#hub.recordsOf(tenant, id), isOwn ? this.#model.recordsOf(event) : []);
    expectSame(await this.#hub.findEvents(tenant, [id]), isOwn ? [{ ...event, identity: null }] : []);
  }
}

function timeOf({ completedAt }: SourceRecord): number {
  return completedAt?.getTime() ?? 0;
}

function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return Number(left.id > right.id) - Number(left.id < right.id);
}
