import type { Handler, HubEvent } from "@belfry/core";
import type { ClaimedRecord, EndedRecord, Lease, PlanProcessing } from "@belfry/core/storage";
import { expect } from "vitest";
import type { Fixture } from "../fixture.ts";
import { endLost, HubFixture } from "../hub/hub-fixture.ts";
import { expectFirst } from "./expect-first.ts";
import { HubChecks } from "./hub-checks.ts";
import { recordLeasesOf } from "./hub-leases.ts";
import { HubModel, LOST_ERROR, MAX_RECORD_ATTEMPTS, type ModelRecord, recordOf, sourceRecordOf } from "./hub-model.ts";
import { HUB_WORKERS, type HubLook, type HubOperation, type RecordEnding, SOURCES } from "./hub-operations.ts";
import { choose, expectSame } from "./same.ts";

const START_MS = Date.UTC(2026, 6, 1);
/** The longest lease that an operation asks for. */
const LEASE_MS = 60_000;

/** An operation of one kind. */
type Step<Kind extends HubOperation["do"]> = Extract<HubOperation, { readonly do: Kind }>;

/** Does the same things to a storage's hub and to the model, in two tenants of its own, and compares what they answer. */
export class HubRun {
  readonly #fixture: HubFixture;
  readonly #model = new HubModel();
  readonly #tenants: readonly string[];
  readonly #checks: HubChecks;
  /** Every lease that was ever given, the latest first, with what came with it. */
  readonly #leases: (Lease & { readonly claimed?: ClaimedRecord })[] = [];
  #nowMs = START_MS;

  constructor(fixture: Fixture, run: number) {
    this.#fixture = new HubFixture(fixture);
    this.#tenants = [`run ${run}`, `Run ${run}`];
    this.#checks = new HubChecks(fixture, this.#model, this.#tenants);
  }

  async apply(operation: HubOperation): Promise<void> {
    switch (operation.do) {
      case "createEvents":
        return this.#createEvents(operation);
      case "createHandler":
        return this.#createHandler(operation);
      case "updateHandler":
        return this.#updateHandler(operation);
      case "deleteHandler":
        return this.#deleteHandler(operation);
      case "claim":
        return this.#claim(operation);
      case "end":
        return this.#end(operation);
      case "renew":
        return this.#renew(operation);
      case "endLost":
        return this.#endLost(operation);
      case "pass":
        this.#nowMs += operation.ms;
    }
  }

  check(look: HubLook): Promise<void> {
    return this.#checks.check(look, this.#now);
  }

  /** Leaves nothing to process for the next run. */
  end(): Promise<void> {
    return this.#fixture.settleAll();
  }

  get #now(): Date {
    return new Date(this.#nowMs);
  }

  async #createEvents({ drafts, repeat, takes }: Step<"createEvents">): Promise<void> {
    const known = repeat === null ? undefined : choose(this.#model.events, repeat);
    const fresh = drafts.map(({ tenant, source }) =>
      this.#fixture.newEvent({ tenant: this.#tenants[tenant] ?? "", source: SOURCES[source] ?? "", content: `Content ${takes}` }),
    );
    const events = known ? [...fresh, known] : fresh;
    const plan: PlanProcessing = (event, handlers) => {
      expectSame(handlers, this.#model.handlersOf(event.tenant, event.source));
      return handlers.slice(0, takes).map(({ id, prompt }) => ({ id: newId(event, id), handlerId: id, prompt }));
    };
    const answers = await this.#fixture.hub.createEvents(events, plan);
    for (const event of fresh) {
      this.#model.add(event, plan(event, this.#model.handlersOf(event.tenant, event.source)));
    }
    expectSame(
      answers,
      events.map((event) => this.#model.recordsOf(event)),
    );
  }

  async #createHandler({ tenant, source, text }: Step<"createHandler">): Promise<void> {
    const fields = { tenant: this.#tenants[tenant] ?? "", source: SOURCES[source] ?? "", prompt: `Prompt ${text}`, filter: { text } };
    const handler = await this.#fixture.createHandler(fields);
    this.#model.handlers.push(handler);
  }

  async #updateHandler({ handler, source, text, withFilter }: Step<"updateHandler">): Promise<void> {
    const known = choose(this.#model.handlers, handler);
    const change = {
      ...(source === null ? {} : { source: SOURCES[source] ?? "" }),
      ...(text === null ? {} : { prompt: `Prompt ${text}` }),
      ...(withFilter ? { filter: { changed: text } } : {}),
    };
    const { tenant = this.#tenants[0] ?? "", id = crypto.randomUUID() } = known ?? {};
    const updated = await this.#fixture.hub.updateHandler(tenant, id, { ...change, at: this.#now });
    if (!known) {
      expect(updated).toBeNull();
      return;
    }
    const after: Handler = { ...known, ...change, updatedAt: this.#now };
    this.#model.handlers[this.#model.handlers.indexOf(known)] = after;
    expectSame(updated, after);
  }

  async #deleteHandler({ handler, byOther }: Step<"deleteHandler">): Promise<void> {
    const known = choose(this.#model.handlers, handler);
    if (!known) {
      return;
    }
    const tenant = byOther ? (this.#tenants.find((name) => name !== known.tenant) ?? "") : known.tenant;
    expect(await this.#fixture.hub.deleteHandler(tenant, known.id)).toBe(!byOther);
    if (!byOther) {
      this.#model.handlers.splice(this.#model.handlers.indexOf(known), 1);
    }
  }

  async #claim({ worker, leaseMs, limit, exceptTenant }: Step<"claim">): Promise<void> {
    const owner = HUB_WORKERS[worker] ?? "";
    const exceptTenants = exceptTenant === null ? [] : [this.#tenants[exceptTenant] ?? ""];
    const due = this.#model.records.filter(
      ({ status, dueMs, tenant }) => status === "PENDING" && dueMs <= this.#nowMs && !exceptTenants.includes(tenant),
    );
    const claimed = await recordLeasesOf(this.#fixture.hub).claim({ owner, at: this.#now, leaseMs, limit, exceptTenants });
    const ids = claimed.map(({ record }) => record.id);
    expect([new Set(ids).size, ids.length <= limit]).toEqual([ids.length, true]);
    expectFirst(
      ids,
      due.map(({ id, dueMs }) => ({ id, atMs: dueMs })),
      limit,
    );
    const taken = ids.flatMap((id) => this.#model.find(id) ?? []);
    const times = taken.map(({ dueMs }) => dueMs);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    const expected = taken.map((record): ClaimedRecord => {
      this.#model.lease(record, owner, this.#nowMs + leaseMs);
      const claim = { record: recordOf(record), fence: record.fence, event: { ...record.event, identity: null } };
      this.#leases.unshift({ id: record.id, fence: record.fence, claimed: claim });
      return claim;
    });
    expectSame(claimed, expected);
  }

  async #end({ worker, endings }: Step<"end">): Promise<void> {
    const owner = HUB_WORKERS[worker] ?? "";
    const named = endings.flatMap((ending) => this.#ended(ending) ?? []);
    const ended = [...new Map(named.map((one) => [one.id, one])).values()];
    const answers = await this.#fixture.hub.endRecords(owner, ended, this.#now);
    expectSame(
      answers,
      ended.flatMap((one) => this.#model.end(owner, one, this.#now) ?? []),
    );
  }

  #ended({ lease, isStale, status, dueInMs }: RecordEnding): EndedRecord | null {
    const given = this.#named(lease, isStale);
    const outcomes = {
      COMPLETED: { result: `done ${lease}`, error: null, inputTokens: lease, outputTokens: 7, dueInMs: null },
      FAILED: { result: null, error: `failed ${lease}`, inputTokens: null, outputTokens: null, dueInMs: null },
      PENDING: { result: null, error: `again ${lease}`, inputTokens: null, outputTokens: null, dueInMs },
    };
    if (given === undefined) {
      return null;
    }
    // With the claimed record or without it, the answer is the same.
    const { claimed, ...named } = given;
    return { ...named, status, ...outcomes[status], ...(claimed !== undefined && lease % 2 === 0 ? { claimed } : {}) };
  }

  /** A lease that was given; or, stale, the one before it of the same task. */
  #named(index: number, isStale: boolean): (Lease & { readonly claimed?: ClaimedRecord }) | undefined {
    const given = choose(this.#leases, index);
    return given && isStale ? { id: given.id, fence: given.fence - 1 } : given;
  }

  async #renew({ worker, leases, leaseMs, isStale }: Step<"renew">): Promise<void> {
    const owner = HUB_WORKERS[worker] ?? "";
    const named = [...new Map(leases.flatMap((index) => this.#named(index, isStale) ?? []).map((one) => [one.id, one])).values()];
    const held = await recordLeasesOf(this.#fixture.hub).renew(owner, named, { at: this.#now, leaseMs });
    const expected = named.filter(({ id, fence }) => {
      const record = this.#model.find(id);
      const isHeld = record?.owner === owner && record.fence === fence;
      if (isHeld) {
        record.untilMs = this.#nowMs + leaseMs;
      }
      return isHeld;
    });
    const ids = (ofThese: readonly Lease[]) => ofThese.map(({ id }) => id).toSorted();
    expect(ids(held)).toEqual(ids(expected));
  }

  async #endLost({ notOwnedBy, limit }: Step<"endLost">): Promise<void> {
    const others = notOwnedBy === null ? {} : { notOwnedBy: HUB_WORKERS[notOwnedBy] ?? "" };
    const query = { at: this.#now, limit, furthestMs: LEASE_MS, ...others };
    const isLost = ({ owner, untilMs }: ModelRecord) =>
      owner !== null &&
      (untilMs <= this.#nowMs || untilMs > this.#nowMs + LEASE_MS || (others.notOwnedBy !== undefined && owner !== others.notOwnedBy));
    const lost = this.#model.records.filter(isLost);
    const back = await endLost(this.#fixture.hub, query, { maxAttempts: MAX_RECORD_ATTEMPTS, error: LOST_ERROR });
    const ids = back.map(({ id }) => id);
    expect(ids.length).toBe(Math.min(limit, lost.length));
    expectFirst(
      ids,
      lost.map(({ id, untilMs }) => ({ id, atMs: untilMs })),
      limit,
    );
    const expected = ids.flatMap((id) => {
      const record = this.#model.find(id);
      if (record) {
        this.#model.endLost(record, this.#now);
      }
      return record ? [sourceRecordOf(record)] : [];
    });
    expectSame(back, expected);
  }
}

/** The same plan, made twice, has the same ids. */
function newId(event: HubEvent, handlerId: string): string {
  return `${event.id.slice(0, 24)}${handlerId.slice(24)}`;
}
