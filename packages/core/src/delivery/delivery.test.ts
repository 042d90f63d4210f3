import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChainOutcome, chainOutcome, type DeliveryStatus, sendStatus } from "./delivery.ts";

const statuses: readonly DeliveryStatus[] = ["waiting", "pending", "sent", "delivered", "failed", "skipped", "cancelled"];
const chain = fc.array(fc.constantFrom(...statuses), { minLength: 1, maxLength: 4 });

function statusOf(chains: readonly (readonly DeliveryStatus[])[]) {
  const counts: Record<ChainOutcome, number> = { pending: 0, sent: 0, delivered: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const deliveries of chains) {
    counts[chainOutcome(deliveries)] += 1;
  }
  return sendStatus(counts);
}

describe("chainOutcome", () => {
  test.each<[DeliveryStatus[], ChainOutcome]>([
    [["pending"], "pending"],
    [["pending", "waiting"], "pending"],
    [["sent", "waiting"], "sent"],
    [["failed", "waiting"], "pending"],
    [["failed", "pending"], "pending"],
    [["failed", "sent"], "sent"],
    [["delivered", "cancelled"], "delivered"],
    [["failed", "cancelled"], "failed"],
    [["failed", "failed"], "failed"],
    [["skipped", "failed"], "failed"],
    [["skipped", "waiting"], "pending"],
    [["skipped", "cancelled"], "skipped"],
    [["cancelled", "cancelled"], "cancelled"],
    [["delivered", "sent"], "delivered"],
  ])("%j comes to %s", (deliveries, outcome) => {
    expect(chainOutcome(deliveries)).toBe(outcome);
  });
});

/** The same rule, told by the set of outcomes instead of by counts. */
function expectedStatus(outcomes: ReadonlySet<ChainOutcome>) {
  const [first = "cancelled"] = outcomes;
  if (outcomes.has("pending")) {
    return "pending";
  }
  if (outcomes.size < 2) {
    return first;
  }
  return outcomes.has("failed") ? "partial" : "sent";
}

describe("sendStatus", () => {
  test("the order of chains and of their deliveries does not matter", () => {
    fc.assert(
      fc.property(fc.array(chain, { minLength: 1 }), (chains) => {
        const turned = chains.map((deliveries) => deliveries.toReversed()).toReversed();
        expect(statusOf(turned)).toBe(statusOf(chains));
      }),
    );
  });

  test("it follows from the outcomes of all chains that were neither cancelled nor skipped; without any, from those", () => {
    fc.assert(
      fc.property(fc.array(chain, { minLength: 1 }), (chains) => {
        const outcomes = new Set(chains.map(chainOutcome));
        const counting = [...outcomes].filter((outcome) => outcome !== "cancelled" && outcome !== "skipped");
        const none = outcomes.has("cancelled") ? "cancelled" : "skipped";
        expect(statusOf(chains)).toBe(counting.length === 0 ? none : expectedStatus(new Set(counting)));
      }),
    );
  });

  test("a cancelled or skipped chain beside others changes nothing", () => {
    fc.assert(
      fc.property(fc.array(chain, { minLength: 1 }), fc.constantFrom<DeliveryStatus>("cancelled", "skipped"), (chains, one) => {
        fc.pre(chains.some((deliveries) => !["cancelled", "skipped"].includes(chainOutcome(deliveries))));
        expect(statusOf([...chains, [one]])).toBe(statusOf(chains));
      }),
    );
  });
});
