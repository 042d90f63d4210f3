import fc from "fast-check";

/** Recipients of the sends of a run: users of the inbox, and addresses of the other channels. */
export const SEND_USERS: readonly string[] = ["ann", "Ann", "bob"];
export const SEND_CHANNELS: readonly string[] = ["inbox", "email", "webhook"];
export const WORKERS: readonly string[] = ["one", "two", "three"];

/** One send to make. Tenants, users and channels are named by their place in the lists. */
export interface SendDraft {
  readonly tenant: number;
  readonly users: readonly number[];
  readonly channel: number;
  /** Null for no fallback, 0 for one that waits for its primary alone, else how long it waits. */
  readonly fallbackMs: number | null;
  readonly scheduledInMs: number | null;
  /** Few keys, so that they meet. */
  readonly key: number | null;
  /** Whether it has deliveries without the choices of a sender. */
  readonly isBare: boolean;
}

/** How an attempt ends. */
export interface Ending {
  /** Whether the worker names the fence before, as one does that lost the lease and got it again. */
  readonly isStale: boolean;
  /** Picks one of all leases that were ever given, the latest first. */
  readonly lease: number;
  readonly outcome: "sent" | "delivered" | "permanent" | "transient" | "offline";
  readonly retryInMs: number | null;
}

/** The value that is compared after a step beside the sends and their deliveries. It is one value, since all of them would take minutes. */
export interface DeliveryLook {
  readonly at: "list" | "counts" | "audit" | "inbox" | "leases" | "loaded" | "export";
  readonly tenant: number;
  readonly user: number;
  readonly send: number;
  readonly worker: number;
  readonly status: "pending" | "sent" | "delivered" | "failed" | "partial" | "cancelled" | null;
  readonly channel: number | null;
  readonly sort: "created_at" | "-created_at" | "status";
  readonly offset: number;
  readonly limit: number;
}

/** One step of a run. Sends and leases are picked when it runs, so that fast-check can leave out steps before it. */
export type DeliveryOperation =
  | { readonly do: "create"; readonly drafts: readonly SendDraft[] }
  | { readonly do: "repeat"; readonly send: number }
  | { readonly do: "place"; readonly send: number; readonly users: readonly number[] }
  | {
      readonly do: "claim";
      readonly worker: number;
      readonly leaseMs: number;
      readonly limit: number;
      readonly perEndpoint: number;
      readonly channels: readonly number[];
      readonly exceptTenant: number | null;
      readonly exceptUser: number | null;
    }
  | { readonly do: "end"; readonly worker: number; readonly endings: readonly Ending[] }
  | {
      readonly do: "renew";
      readonly worker: number;
      readonly leases: readonly number[];
      readonly leaseMs: number;
      readonly isStale: boolean;
    }
  | { readonly do: "endLost"; readonly notOwnedBy: number | null; readonly limit: number }
  | { readonly do: "endWaits"; readonly limit: number }
  | { readonly do: "cancel" | "retry" | "delete"; readonly send: number }
  | { readonly do: "update"; readonly send: number; readonly text: number; readonly withMeta: boolean }
  | { readonly do: "read"; readonly send: number; readonly user: number }
  | { readonly do: "acknowledge"; readonly send: number | null; readonly tenant: number; readonly user: number }
  | { readonly do: "erase"; readonly tenant: number; readonly user: number; readonly limit: number }
  | { readonly do: "prune"; readonly agoMs: number }
  | { readonly do: "pass"; readonly ms: number };

const tenant = fc.nat({ max: 1 });
const user = fc.nat({ max: SEND_USERS.length - 1 });
const users = fc.uniqueArray(user, { minLength: 1, maxLength: SEND_USERS.length });
const channel = fc.nat({ max: SEND_CHANNELS.length - 1 });
const worker = fc.nat({ max: WORKERS.length - 1 });
const send = fc.nat({ max: 10_000 });
const lease = fc.nat({ max: 12 });
const isStale = fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const leaseMs = fc.constantFrom(1_000, 5_000, 60_000);

const draft: fc.Arbitrary<SendDraft> = fc.record({
  tenant,
  users,
  channel: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: channel }),
  fallbackMs: fc.constantFrom(null, 0, 2_000, 5_000),
  scheduledInMs: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(1_000, 10_000) }),
  key: fc.option(fc.nat({ max: 3 }), { freq: 2 }),
  isBare: fc.nat({ max: 3 }).map((one) => one === 0),
});

const ending: fc.Arbitrary<Ending> = fc.record({
  isStale,
  lease,
  outcome: fc.constantFrom("sent" as const, "delivered" as const, "permanent" as const, "transient" as const, "offline" as const),
  retryInMs: fc.option(fc.constantFrom(0, 1_000, 5_000), { freq: 3 }),
});

/** The values that are compared after a step. */
export const deliveryLook: fc.Arbitrary<DeliveryLook> = fc.record({
  at: fc.constantFrom("list", "counts", "audit", "inbox", "inbox", "leases", "leases", "loaded", "export"),
  tenant,
  user,
  send,
  worker,
  status: fc.constantFrom(null, "pending", "sent", "delivered", "failed", "partial", "cancelled"),
  channel: fc.option(channel),
  sort: fc.constantFrom("created_at", "-created_at", "status"),
  offset: fc.nat({ max: 5 }),
  limit: fc.integer({ min: 1, max: 8 }),
});

/** Any operation. */
export const deliveryOperation: fc.Arbitrary<DeliveryOperation> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("erase" as const), tenant, user, limit: fc.constantFrom(1, 2, 10) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("create" as const), drafts: fc.array(draft, { minLength: 1, maxLength: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("repeat" as const), send }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("place" as const), send, users }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      worker,
      leaseMs,
      limit: fc.constantFrom(1, 3, 20, 100),
      perEndpoint: fc.constantFrom(1, 2, 100),
      channels: fc.oneof(
        { weight: 4, arbitrary: fc.constant([0, 1, 2]) },
        { weight: 1, arbitrary: fc.uniqueArray(channel, { minLength: 1 }) },
      ),
      exceptTenant: fc.option(tenant, { freq: 4 }),
      exceptUser: fc.option(user, { freq: 4 }),
    }),
  },
  {
    weight: 12,
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
  { weight: 4, arbitrary: fc.record({ do: fc.constant("endWaits" as const), limit: fc.constantFrom(1, 2, 100) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("cancel" as const, "retry" as const, "retry" as const), send }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), send }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("update" as const), send, text: fc.nat({ max: 9 }), withMeta: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const), send, user }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("acknowledge" as const), send: fc.option(send, { freq: 2 }), tenant, user }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("prune" as const), agoMs: fc.constantFrom(0, 5_000, 60_000) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 999, 1_000, 5_000, 60_000, -3_000) }) },
);
