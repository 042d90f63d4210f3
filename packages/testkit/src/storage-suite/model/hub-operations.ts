import fc from "fast-check";

export const SOURCES: readonly string[] = ["mail", "Mail"];
export const HUB_WORKERS: readonly string[] = ["one", "two", "three"];

/** How an attempt at a record ends. */
export interface RecordEnding {
  /** Whether the worker names the fence before, as one does that lost the lease and got it again. */
  readonly isStale: boolean;
  /** Picks one of all leases that were ever given, the latest first. */
  readonly lease: number;
  readonly status: "COMPLETED" | "FAILED" | "PENDING";
  readonly dueInMs: number | null;
}

/** The values that are compared after a step, beside all events and records. */
export interface HubLook {
  readonly at: "handlers" | "leases" | "settled" | "found";
  readonly tenant: number;
  readonly source: number;
  readonly worker: number;
  readonly pick: number;
  readonly offset: number;
  readonly limit: number;
}

interface Draft {
  readonly tenant: number;
  readonly source: number;
}

/** One step of a run. Handlers, events and leases are picked when it runs, so that fast-check can leave out steps before it. */
export type HubOperation =
  | { readonly do: "createEvents"; readonly drafts: readonly Draft[]; readonly repeat: number | null; readonly takes: number }
  | ({ readonly do: "createHandler"; readonly text: number } & Draft)
  | {
      readonly do: "updateHandler";
      readonly handler: number;
      readonly source: number | null;
      readonly text: number | null;
      readonly withFilter: boolean;
    }
  | { readonly do: "deleteHandler"; readonly handler: number; readonly byOther: boolean }
  | {
      readonly do: "claim";
      readonly worker: number;
      readonly leaseMs: number;
      readonly limit: number;
      readonly exceptTenant: number | null;
    }
  | { readonly do: "end"; readonly worker: number; readonly endings: readonly RecordEnding[] }
  | {
      readonly do: "renew";
      readonly worker: number;
      readonly leases: readonly number[];
      readonly leaseMs: number;
      readonly isStale: boolean;
    }
  | { readonly do: "endLost"; readonly notOwnedBy: number | null; readonly limit: number }
  | { readonly do: "pass"; readonly ms: number };

const tenant = fc.nat({ max: 1 });
const source = fc.nat({ max: SOURCES.length - 1 });
const worker = fc.nat({ max: HUB_WORKERS.length - 1 });
const handler = fc.nat({ max: 10_000 });
const lease = fc.nat({ max: 12 });
const isStale = fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const leaseMs = fc.constantFrom(1_000, 5_000, 60_000);
const text = fc.nat({ max: 9 });

const ending: fc.Arbitrary<RecordEnding> = fc.record({
  isStale,
  lease,
  status: fc.constantFrom("COMPLETED" as const, "FAILED" as const, "PENDING" as const),
  dueInMs: fc.option(fc.constantFrom(0, 1_000, 5_000), { freq: 3 }),
});

/** The values that are compared after a step. */
export const hubLook: fc.Arbitrary<HubLook> = fc.record({
  at: fc.constantFrom("handlers", "leases", "leases", "settled", "found"),
  tenant,
  source,
  worker,
  pick: fc.nat({ max: 10_000 }),
  offset: fc.nat({ max: 4 }),
  limit: fc.integer({ min: 1, max: 6 }),
});

/** Any operation. */
export const hubOperation: fc.Arbitrary<HubOperation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("createEvents" as const),
      drafts: fc.array(fc.record({ tenant, source }), { minLength: 1, maxLength: 3 }),
      repeat: fc.option(fc.nat({ max: 10_000 }), { freq: 2 }),
      takes: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("createHandler" as const), tenant, source, text }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("updateHandler" as const),
      handler,
      source: fc.option(source),
      text: fc.option(text),
      withFilter: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("deleteHandler" as const), handler, byOther: fc.boolean() }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      worker,
      leaseMs,
      limit: fc.constantFrom(1, 3, 100),
      exceptTenant: fc.option(tenant, { freq: 3 }),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant("end" as const), worker, endings: fc.array(ending, { minLength: 1, maxLength: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("renew" as const),
      worker,
      leases: fc.uniqueArray(lease, { minLength: 1, maxLength: 5 }),
      leaseMs,
      isStale,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("endLost" as const),
      notOwnedBy: fc.option(worker, { freq: 2 }),
      limit: fc.constantFrom(1, 2, 100),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 999, 1_000, 5_000, 60_000, -3_000) }) },
);
