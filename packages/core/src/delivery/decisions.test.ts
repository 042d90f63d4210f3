import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SkipReason } from "../decisions/index.ts";
import type { LostLease } from "../work/lease-storage.ts";
import { endWait, eraseChains, type Settlement, settleChains } from "./chains.ts";
import { cancelChains } from "./change-send.ts";
import { chainOutcome, type Delivery, type DeliveryStatus, sendStatus } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend, SendState } from "./delivery-storage.ts";
import type { Ruling, UnbegunWait } from "./delivery-transitions.ts";
import { type EndedAttempt, endAttempts, endLostLeases, type RuledAttempt } from "./end-attempts.ts";

const NOW = new Date("2030-01-01T00:00:00Z");
const LATER = new Date("2030-01-01T00:01:00Z");

function delivery(change: Partial<LoadedDelivery> = {}): LoadedDelivery {
  return {
    id: `${change.channel ?? "inbox"}-${change.chain ?? 0}`,
    notificationId: "n",
    tenant: "t",
    channel: "inbox",
    recipient: "ann",
    chain: 0,
    isFallback: false,
    recipientKind: "user",
    topic: null,
    status: "pending",
    reason: null,
    reasonSource: null,
    attempt: 0,
    attemptsBefore: 0,
    dueAt: NOW,
    leaseOwner: null,
    leaseUntil: null,
    fence: 0,
    settledAt: null,
    isRead: false,
    ...change,
  };
}

const email = (change: Partial<LoadedDelivery> = {}) =>
  delivery({ channel: "email", isFallback: true, status: "waiting", dueAt: null, ...change });
const leased = (change: Partial<LoadedDelivery> = {}) => delivery({ leaseOwner: "w", leaseUntil: LATER, attempt: 1, fence: 1, ...change });

function loaded(chains: readonly (readonly LoadedDelivery[])[], state: Partial<SendState> = {}): LoadedSend {
  const counts = { pending: 0, sent: 0, delivered: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const chain of chains) {
    counts[chainOutcome(chain.map(({ status }) => status))] += 1;
  }
  return {
    state: {
      tenant: "t",
      id: "n",
      status: sendStatus(counts),
      chains: counts,
      attempts: 0,
      fallbackUsed: false,
      fallbackDelayMs: 0,
      inboxNeeds: "connection",
      addresses: "own",
      deliveredAt: null,
      failedAt: null,
      ...state,
    },
    chains,
  };
}

function ended(change: Partial<EndedAttempt> & Pick<EndedAttempt, "outcome">): EndedAttempt {
  return { deliveryId: "inbox-0", fence: 1, startedAt: NOW, finishedAt: NOW, reason: null, wasHandedIn: true, retryInMs: null, ...change };
}

const sent = { status: "sent", provider: "p" } as const;
const offline = { status: "failed", transient: false, provider: "p", error: "offline" } as const;
const busy = { status: "failed", transient: true, provider: "p", error: "busy" } as const;

function end(send: LoadedSend, attempt: EndedAttempt | RuledAttempt, owner = "w") {
  const { changes } = endAttempts([send], NOW, { owner, byId: new Map([[attempt.deliveryId, attempt]]) });
  const accepted = new Set(changes.attempts.map(({ deliveryId }) => deliveryId));
  const [chain = []] = send.chains;
  const after = chain.map((one) => changes.deliveries.find(({ id }) => id === one.id) ?? one);
  return { chain: after.map(({ channel, status, dueAt }) => [channel, status, dueAt]), send: changes.sends[0], changes, accepted };
}

describe("an attempt that ended", () => {
  test("offline without a delay: the fallback goes at once", () => {
    const { chain, send } = end(loaded([[leased(), email()]]), ended({ outcome: offline, reason: "offline" }));
    expect(chain).toEqual([
      ["inbox", "failed", null],
      ["email", "pending", NOW],
    ]);
    expect([send?.status, send?.attempts, send?.fallbackUsed]).toEqual(["pending", 1, false]);
  });

  test("offline with a delay: the fallback waits for its time, and the send stays pending", () => {
    const { chain, send } = end(
      loaded([[leased(), email({ dueAt: LATER })]], { fallbackDelayMs: 60_000 }),
      ended({ outcome: offline, reason: "offline" }),
    );
    expect(chain).toEqual([
      ["inbox", "failed", null],
      ["email", "waiting", LATER],
    ]);
    expect(send?.status).toBe("pending");
  });

  test("where nobody is for good suppresses the address in the same transaction, once for all deliveries to it", () => {
    const [one, two] = [leased({ id: "one", chain: 0 }), leased({ id: "two", chain: 1 })];
    const bounced = { channel: "email", address: "ann@example.com", actor: "smtp", detail: "550 5.1.1 no such user" };
    const attempts = [one, two].map(({ id }) => [id, ended({ deliveryId: id, outcome: offline, bounced })] as const);
    const { changes } = endAttempts([loaded([[one], [two]])], NOW, { owner: "w", byId: new Map(attempts) });
    expect(changes.deliveries.map(({ status }) => status)).toEqual(["failed", "failed"]);
    expect(changes.suppressions).toEqual([{ ...bounced, kind: "suppress", reason: "hard_bounce", tenant: "t", notificationId: "n" }]);
    // Whose lease was lost says nothing: another attempt will.
    expect(endAttempts([loaded([[one], [two]])], NOW, { owner: "other", byId: new Map(attempts) }).changes.suppressions).toBeUndefined();
  });

  test("sent by presence alone: there is nothing to wait for", () => {
    const { chain, send } = end(loaded([[leased(), email()]]), ended({ outcome: sent }));
    expect(chain).toEqual([
      ["inbox", "sent", null],
      ["email", "cancelled", null],
    ]);
    expect(send?.status).toBe("sent");
  });

  test("sent with a delay: the send is sent, and the fallback waits for a reader", () => {
    const { chain, send } = end(loaded([[leased(), email({ dueAt: LATER })]], { fallbackDelayMs: 60_000 }), ended({ outcome: sent }));
    expect([chain[1], send?.status]).toEqual([["email", "waiting", LATER], "sent"]);
  });

  test("a failure that may pass is due again; without another attempt it has failed", () => {
    expect(end(loaded([[leased()]]), ended({ outcome: busy, retryInMs: 5_000 })).chain).toEqual([
      ["inbox", "pending", new Date(NOW.getTime() + 5_000)],
    ]);
    const last = end(loaded([[leased()]]), ended({ outcome: busy }));
    expect([last.chain, last.send?.status, last.send?.failedAt]).toEqual([[["inbox", "failed", null]], "failed", NOW]);
  });

  test("none was begun: what was decided against is skipped or waits, with its reason, and its attempt is given back", () => {
    const ruling = (one: Ruling | UnbegunWait) => end(loaded([[leased()]]), { deliveryId: "inbox-0", fence: 1, ruling: one });
    const skipped = ruling({ outcome: "skip", reason: "preference", source: "user type email" });
    expect(skipped.changes.deliveries).toEqual([
      expect.objectContaining({ status: "skipped", reason: "preference", reasonSource: "user type email", attempt: 0, settledAt: NOW }),
    ]);
    expect([skipped.send?.status, skipped.send?.attempts, skipped.changes.attempts]).toEqual(["skipped", 0, []]);
    const waits = ruling({ outcome: "wait", dueAt: LATER, reason: "quiet_hours", source: "user" });
    const waiting = {
      status: "pending",
      reason: "quiet_hours",
      reasonSource: "user",
      attempt: 0,
      dueAt: LATER,
      leaseOwner: null,
      fence: 1,
    };
    expect(waits.changes.deliveries).toEqual([expect.objectContaining(waiting)]);
    expect([waits.send?.status, waits.send?.attempts]).toEqual(["pending", 0]);
    const brief = { outcome: "wait", inMs: 1_000, reason: null, source: "storage wait 1" } as const;
    expect(ruling(brief).changes.deliveries).toMatchObject([{ dueAt: new Date(NOW.getTime() + 1_000), attempt: 0 }]);
  });

  test("a skipped one ends its chain, unless its recipient cannot be reached there", () => {
    const skip = (reason: SkipReason) =>
      end(loaded([[leased(), email()]]), { deliveryId: "inbox-0", fence: 1, ruling: { outcome: "skip", reason, source: "type" } });
    expect([skip("preference"), skip("expired")].map(({ chain, send }) => [chain[1]?.[1], send?.status])).toEqual([
      ["cancelled", "skipped"],
      ["cancelled", "skipped"],
    ]);
    expect([skip("no_address"), skip("suppressed")].map(({ chain, send }) => [chain[1], send?.status])).toEqual([
      [["email", "pending", NOW], "pending"],
      [["email", "pending", NOW], "pending"],
    ]);
  });

  test("a send is cancelled with what of it was skipped, but not if nothing else is left", () => {
    const skipped = delivery({ id: "x", chain: 1, status: "skipped" });
    const cancelled = cancelChains([loaded([[delivery()], [skipped]])], NOW, { id: "n", actor: "a" }) as Settlement;
    expect(cancelled.changes.deliveries.map(({ id, status }) => [id, status])).toEqual([["inbox-0", "cancelled"]]);
    expect(cancelled.changes.sends[0]?.status).toBe("cancelled");
    expect(cancelChains([loaded([[skipped]])], NOW, { id: "n", actor: "a" })).toBe(
      "The notification n cannot be cancelled: a delivery is already skipped.",
    );
  });

  test("an end after a lost lease is not accepted and changes nothing", () => {
    for (const { owner, ...other } of [{ owner: "another" }, { owner: "w", fence: 0 }, { owner: "w", deliveryId: "inbox-7" }]) {
      const { changes, accepted } = end(loaded([[leased()]]), ended({ outcome: sent, ...other }), owner);
      expect([changes.deliveries, changes.attempts, changes.sends, accepted.size]).toEqual([[], [], [], 0]);
    }
  });

  test("a provider's answer is cut short, and loses characters that no database keeps", () => {
    const response = `\u0000${"x".repeat(5_000)}\ud800`;
    const { changes } = end(loaded([[leased()]]), ended({ outcome: { ...sent, response } }));
    expect(changes.attempts[0]?.response).toBe("x".repeat(999));
  });

  test("a fallback counts as used once it was handed to its channel", () => {
    const fallback = email({ ...leased(), channel: "email", id: "email-0", isFallback: true });
    const ending = (change: Pick<EndedAttempt, "outcome" | "wasHandedIn">) => {
      const chains = [[delivery({ status: "failed", reason: "offline" }), fallback]];
      const { send } = end(loaded(chains), ended({ deliveryId: "email-0", ...change }));
      return [send?.fallbackUsed, send?.status];
    };
    expect(ending({ outcome: sent, wasHandedIn: true })).toEqual([true, "sent"]);
    expect(ending({ outcome: offline, wasHandedIn: true })).toEqual([true, "failed"]);
    expect(ending({ outcome: offline, wasHandedIn: false })).toEqual([false, "failed"]);
  });
});

describe("a wait that is over", () => {
  const statuses = (chain: readonly Delivery[] | null) => chain?.map(({ status, reason }) => [status, reason]);

  test("sent and not read: the inbox has failed for want of an acknowledgement, the e-mail goes", () => {
    expect(statuses(endWait([delivery({ status: "sent" }), email({ dueAt: NOW })], NOW))).toEqual([
      ["failed", "no_ack"],
      ["pending", null],
    ]);
  });

  test("read meanwhile: delivered, and no e-mail", () => {
    for (const status of ["sent", "failed"] as const) {
      expect(statuses(endWait([delivery({ status, isRead: true }), email({ dueAt: NOW })], NOW))).toEqual([
        ["delivered", null],
        ["cancelled", null],
      ]);
    }
  });

  test("not attempted yet: the wait goes on", () => {
    expect(endWait([delivery(), email({ dueAt: NOW })], NOW)).toBeNull();
  });
});

describe("a lease that was lost", () => {
  function endLost(delivery: LoadedDelivery, lost: Partial<LostLease> = {}) {
    const { id, fence, attempt, leaseOwner, leaseUntil } = delivery;
    const lease = { id, fence, attempt, owner: leaseOwner ?? "", until: leaseUntil ?? NOW, ...lost };
    return endLostLeases([loaded([[delivery]])], NOW, { leaseMs: 60_000, attemptsOf: () => 3, lost: new Map([[id, lease]]) }).changes;
  }

  test("the attempt is kept as unknown and counts; the delivery is due, or has failed with its last attempt", () => {
    for (const [attempt, status] of [
      [1, "pending"],
      [3, "failed"],
    ] as const) {
      const changes = endLost(leased({ attempt, leaseUntil: NOW }));
      expect(changes.deliveries.map((one) => [one.status, one.leaseOwner])).toEqual([[status, null]]);
      expect(changes.attempts.map((one) => [one.attempt, one.status])).toEqual([[attempt, "unknown"]]);
    }
  });

  test("one that was ended, renewed or taken by another worker since is left alone", () => {
    const changed = [{ fence: 0 }, { owner: "another" }, { until: new Date(NOW.getTime() - 1) }];
    expect(changed.map((lost) => endLost(leased(), lost).deliveries)).toEqual([[], [], []]);
    expect(endLost({ ...leased(), leaseOwner: null, leaseUntil: null }).deliveries).toEqual([]);
  });
});

describe("counts and status of a send", () => {
  const status = fc.constantFrom<DeliveryStatus>("waiting", "pending", "sent", "delivered", "failed", "skipped", "cancelled");

  test("follow any change of any of its chains", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.tuple(status, status), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 }), (plan) => {
        const before = plan.map((chain, index) =>
          chain.map(([from], place) => delivery({ id: `${index}-${place}`, chain: index, status: from })),
        );
        const { changes } = settleChains([loaded(before)], NOW, ([first]) => ({
          chain: (before[first?.chain ?? 0] ?? []).map((one, place) => ({ ...one, status: plan[one.chain]?.[place]?.[1] ?? one.status })),
        }));
        const after = loaded(plan.map((chain) => chain.map(([, to]) => delivery({ status: to }))));
        expect([changes.sends[0]?.chains, changes.sends[0]?.status]).toEqual([after.state.chains, after.state.status]);
      }),
    );
  });

  test("leave out an erased chain, and report the status of the others", () => {
    const before = loaded([[delivery({ status: "delivered" })], [delivery({ id: "x", chain: 1, recipient: "bob" })]]);
    const { changes, sends } = eraseChains([{ ...before, chains: before.chains.slice(1) }], NOW);
    expect(changes.sends).toMatchObject([{ status: "delivered", chains: { pending: 0, delivered: 1 }, deliveredAt: NOW }]);
    expect(eraseChains([before], NOW)).toMatchObject({ changes: { sends: [{ chains: { pending: 0, delivered: 0 } }] }, sends: [] });
    expect(sends).toEqual([{ tenant: "t", id: "n", from: "pending", to: "delivered" }]);
  });
});
