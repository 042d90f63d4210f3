import type { Delivery, DeliveryPlan, SendDetails } from "@belfry/core";
import type {
  ClaimedDelivery,
  Decide,
  DeliveryFairness,
  DeliveryStorage,
  LeaseRequest,
  NewDelivery,
  NewSend,
  SettleChanges,
} from "@belfry/core/storage";
import { chainOutcome, sendStatus } from "@belfry/core/storage";
import { expect } from "vitest";
import type { Fixture } from "../fixture.ts";

/** The fields of a send that a test names; all others have ordinary values. */
export interface SendFields {
  readonly tenant?: string;
  readonly to?: readonly string[];
  readonly channel?: string;
  readonly plan?: Partial<DeliveryPlan>;
  /** Null for a notification that has deliveries without the choices of a sender. */
  readonly details?: Partial<SendDetails> | null;
  /** Gives each recipient a fallback that waits: for its primary alone, or this many milliseconds. */
  readonly fallbackAfterMs?: number | null;
  readonly idempotency?: NewSend["idempotency"];
  readonly title?: string;
  /** Which of its texts its type made. */
  readonly rendered?: number;
}

let made = 0;

/** A send of the test's tenant that was not written yet. */
export function newSend(fixture: Fixture, fields: SendFields = {}): NewSend {
  const { to = ["ann"], channel = "inbox", fallbackAfterMs, plan, details, idempotency = null, title = "Subject" } = fields;
  const { tenant = fixture.tenant, rendered = null } = fields;
  const { notification, recipients } = fixture.entry(to, { tenant, kind: "send", title, message: "Content", data: { a: 1 }, rendered });
  made += 1;
  const id = (chain: number, kind: string) =>
    `${notification.id.slice(0, 24)}${kind}${made.toString(16).padStart(6, "0")}${chain.toString(16).padStart(5, "0")}`;
  const undecided = { recipientKind: "address", topic: null, reason: null, reasonSource: null, digest: null } as const;
  const deliveries = to.flatMap((recipient, chain): NewDelivery[] => [
    { ...undecided, id: id(chain, "a"), channel, recipient, chain, isFallback: false, status: "pending", dueInMs: 0 },
    ...(fallbackAfterMs === undefined
      ? []
      : [
          {
            ...undecided,
            id: id(chain, "b"),
            channel: "email",
            recipient,
            chain,
            isFallback: true,
            status: "waiting",
            dueInMs: fallbackAfterMs,
          } as const,
        ]),
  ]);
  return {
    notification,
    ...({ inboxNeeds: "connection", addresses: "own" } as const),
    ...{ channel, fallbackDelayMs: fallbackAfterMs ?? 0, scheduledAt: null, ...plan },
    details:
      details === null
        ? null
        : {
            channels: [channel],
            roomId: null,
            recipients: to,
            erasedRecipients: 0,
            hasFallback: fallbackAfterMs !== undefined,
            meta: { a: 1 },
            ...details,
          },
    deliveries,
    inboxRecipients: channel === "inbox" && !plan?.scheduledAt ? recipients : [],
    idempotency,
    actor: "somebody",
    throttles: null,
  };
}

/** The delivery part of the storage under test. */
export function deliveriesOf(fixture: Fixture): DeliveryStorage {
  return fixture.storage.deliveries;
}

/** Writes a send and returns it; its deliveries are due at its creation. */
export async function createSend(fixture: Fixture, fields: SendFields = {}): Promise<NewSend> {
  const send = newSend(fixture, fields);
  await deliveriesOf(fixture).createSends([send], send.notification.createdAt);
  return send;
}

/** A claim for everything there is, of the test's tenant alone where the storage is shared. */
export function claimAll(at: Date, more: Partial<LeaseRequest & DeliveryFairness> = {}): LeaseRequest & DeliveryFairness {
  return {
    owner: "worker",
    at,
    leaseMs: 60_000,
    limit: 100,
    perEndpoint: 100,
    channels: ["inbox", "email", "webhook"],
    exceptTenants: [],
    exceptEndpoints: [],
    ...more,
  };
}

/** Claims, and leaves out what other tests left. Tenants of the test begin with its own. */
export async function claim(
  fixture: Fixture,
  at: Date,
  more: Partial<LeaseRequest & DeliveryFairness> = {},
): Promise<readonly ClaimedDelivery[]> {
  const claimed = await deliveriesOf(fixture).leases.claim(claimAll(at, more));
  return claimed.filter(({ delivery }) => delivery.tenant.startsWith(fixture.tenant));
}

/** Gives every loaded delivery a state, and keeps the sends' counts and status as core does. */
export function become(change: (delivery: Delivery) => Delivery, more: Partial<SettleChanges> = {}): Decide {
  return (loaded) => ({
    deliveries: loaded.flatMap(({ chains }) => chains.flat().map(({ isRead: _, ...delivery }) => change(delivery))),
    attempts: [],
    sends: loaded.map(({ state, chains }) => {
      const counts = { ...state.chains };
      for (const chain of chains) {
        counts[chainOutcome(chain.map(({ status }) => status))] -= 1;
        counts[chainOutcome(chain.map((delivery) => change(delivery).status))] += 1;
      }
      return { ...state, chains: counts, status: sendStatus(counts) };
    }),
    audit: [],
    ...more,
  });
}

/** Checks that a send's status is that of its deliveries, counted anew. */
export async function expectTrueStatus(fixture: Fixture, id: string): Promise<void> {
  const storage = deliveriesOf(fixture);
  const chains = Map.groupBy(await storage.deliveriesOf(fixture.tenant, [id], { offset: 0, limit: 100 }), ({ chain }) => chain);
  const counts = { pending: 0, sent: 0, delivered: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const chain of chains.values()) {
    counts[chainOutcome(chain.map(({ status }) => status))] += 1;
  }
  let state: unknown;
  await storage.settle({ kind: "send", tenant: fixture.tenant, id }, new Date(0), (loaded) => {
    state = loaded[0]?.state.chains;
    return { deliveries: [], attempts: [], sends: [], audit: [] };
  });
  expect([state, (await storage.findSend(fixture.tenant, id))?.status]).toEqual([counts, sendStatus(counts)]);
}
