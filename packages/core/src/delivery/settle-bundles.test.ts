import { describe, expect, test } from "vitest";
import { followPrimary, settleChains } from "./chains.ts";
import { chainOutcome, type Delivery, sendStatus } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend, SendState } from "./delivery-storage.ts";
import { settled } from "./delivery-transitions.ts";
import type { Digest } from "./digest.ts";
import { endAttempts } from "./end-attempts.ts";
import { type CarriedBundle, heirOf } from "./settle-bundles.ts";

const NOW = new Date("2030-01-01T00:00:00Z");
const LATER = new Date("2030-01-01T00:01:00Z");

const DIGEST: Digest = {
  ...{ id: "g", tenant: "t", userId: "ann", channel: "email", state: "rendered", openedAt: NOW, closesAt: NOW, renderedAt: NOW },
  ...{ closedAt: null, shown: 2, total: 2 },
  plan: {
    ...({ by: "type", scope: "type", name: "note", key: "", frequency: null } as const),
    ...{ windowMs: 1, maxWindowMs: null, leading: false },
  },
};

function entry(id: string, change: Partial<LoadedDelivery> = {}): LoadedDelivery {
  return {
    ...({ id, notificationId: id, tenant: "t", channel: "email", recipient: "ann", chain: 0, isFallback: false } as const),
    ...({
      recipientKind: "user",
      topic: null,
      status: "pending",
      reason: "bundled",
      reasonSource: null,
      attempt: 0,
      attemptsBefore: 0,
    } as const),
    ...{ dueAt: null, leaseOwner: null, leaseUntil: null, fence: 0, settledAt: null, isRead: false },
    ...change,
  };
}

const held = { leaseOwner: "w", leaseUntil: LATER, attempt: 1, fence: 1 };
const fallback = (id: string): LoadedDelivery =>
  entry(`${id} by sms`, { notificationId: id, channel: "sms", isFallback: true, status: "waiting", reason: null });

function loaded(id: string, chain: readonly LoadedDelivery[]): LoadedSend {
  const chains = { pending: 0, sent: 0, delivered: 0, failed: 0, skipped: 0, cancelled: 0 };
  chains[chainOutcome(chain.map(({ status }) => status))] += 1;
  const state: SendState = {
    ...{ tenant: "t", id, status: sendStatus(chains), chains, attempts: 0, fallbackUsed: false, fallbackDelayMs: 0 },
    ...({ inboxNeeds: "connection", addresses: "own", deliveredAt: null, failedAt: null } as const),
  };
  return { state, chains: [chain] };
}

function carried(carrier: CarriedBundle["carrier"], digest: Digest = DIGEST): CarriedBundle {
  return { digest, shown: [], deliveryIds: ["one", "two"], types: ["note"], carrier };
}

const attempt = (deliveryId: string, status: "sent" | "failed") => ({
  ...{ deliveryId, fence: 1, startedAt: NOW, finishedAt: NOW, reason: null, wasHandedIn: true, retryInMs: null },
  outcome: status === "sent" ? ({ status, provider: "p" } as const) : ({ status, provider: "p", transient: false, error: "no" } as const),
});

function ended(sends: readonly LoadedSend[], status: "sent" | "failed", bundle: CarriedBundle) {
  const { id } = bundle.carrier;
  return endAttempts(sends, NOW, { owner: "w", byId: new Map([[id, attempt(id, status)]]), bundles: [bundle] }).changes;
}

/** The deliveries of sends after changes. */
function after(sends: readonly LoadedSend[], changed: readonly Delivery[]) {
  return sends.flatMap(({ chains }) => chains.flat()).map((one) => changed.find(({ id }) => id === one.id) ?? one);
}

describe("a digest's fallback", () => {
  test("still carries all of it if its channel says after the settlement that it did not arrive", () => {
    const sends = [loaded("one", [entry("one", held), fallback("one")]), loaded("two", [entry("two"), fallback("two")])];
    const { deliveries, digests } = ended(sends, "sent", carried({ id: "one", attempt: 1 }));
    const done = after(sends, deliveries);
    expect(done.map(({ id, status, reason }) => [id, status, reason])).toEqual([
      ["one", "sent", null],
      ["one by sms", "waiting", "bundled"],
      ["two", "sent", null],
      ["two by sms", "cancelled", null],
    ]);
    expect(digests).toMatchObject([{ id: "g", state: "closed" }]);
    const [primary, waiting] = done as [Delivery, Delivery];
    const bounced = settleChains(
      [
        loaded(
          "one",
          [primary, waiting].map((one) => ({ ...one, isRead: false })),
        ),
      ],
      LATER,
      (_, send) => ({
        chain: followPrimary([settled(primary, { status: "failed", now: LATER }), waiting], send, LATER),
      }),
    );
    expect(bounced.changes.deliveries.map(({ id, status, reason }) => [id, status, reason])).toEqual([
      ["one", "failed", null],
      ["one by sms", "pending", "bundled"],
    ]);
    const started = entry("one by sms", { ...held, notificationId: "one", channel: "sms", isFallback: true });
    const again = [loaded("one", [entry("one", { status: "failed", reason: null }), started])];
    const last = ended(again, "sent", carried({ id: started.id, attempt: 1 }, { ...DIGEST, state: "closed" }));
    expect([last.deliveries.map(({ id, status }) => [id, status]), last.digests]).toEqual([[["one by sms", "sent"]], []]);
  });
});

describe("the entry that stands in for a deleted carrier", () => {
  const gone = carried({ id: "one", attempt: 2 });

  test("is the one that was chosen already, else the first; none while another attempt is under way or the carrier is there", () => {
    const [two, three] = [loaded("two", [entry("two")]), loaded("three", [entry("three", { dueAt: NOW })])];
    const all = { ...gone, deliveryIds: ["one", "two", "three"] };
    expect(heirOf(all, [two])?.id).toBe("two");
    expect(heirOf(all, [two, three])?.id).toBe("three");
    expect(heirOf(all, [two, loaded("three", [entry("three", held)])])).toBeNull();
    expect(heirOf(all, [two, loaded("one", [entry("one", held)])])).toBeNull();
    expect(heirOf(all, [loaded("two", [entry("two", { status: "delivered", reason: null })])])).toBeNull();
    expect(heirOf({ ...all, carrier: { id: "one by sms", attempt: 1 } }, [loaded("one", [entry("one"), fallback("one")])])).toBeNull();
  });

  test("has the attempt; a failure starts its fallback, which carries the digest", () => {
    const sends = [loaded("two", [entry("two"), fallback("two")])];
    const { deliveries, attempts, digests } = ended(sends, "failed", gone);
    expect(deliveries.map(({ id, status, reason }) => [id, status, reason])).toEqual([
      ["two", "failed", null],
      ["two by sms", "pending", "bundled"],
    ]);
    expect(attempts).toMatchObject([{ deliveryId: "two", attempt: 2, status: "failed", error: "no" }]);
    expect(digests).toEqual([]);
  });

  test("is delivered with the digest, which is over", () => {
    const { deliveries, digests } = ended([loaded("two", [entry("two")])], "sent", gone);
    expect([deliveries.map(({ id, status, attempt }) => [id, status, attempt]), digests?.map(({ state }) => state)]).toEqual([
      [["two", "sent", 2]],
      ["closed"],
    ]);
  });
});
