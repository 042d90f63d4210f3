import type { Channel, DeliveryFailure, DeliveryOutcome } from "./channel.ts";

/** A channel is the host's own code: what it answers may be anything. */
export function isOutcome(outcome: unknown): outcome is DeliveryOutcome {
  if (typeof outcome !== "object" || outcome === null) {
    return false;
  }
  const { status, provider, error } = outcome as OutcomeMembers;
  return (
    typeof provider === "string" && (status === "sent" || status === "delivered" || (status === "failed" && typeof error === "string"))
  );
}

type OutcomeMembers = Partial<Record<keyof DeliveryFailure, unknown>>;

/** The members of an outcome that are missing, or not what they should be. */
function wrongIn({ status, provider, error }: OutcomeMembers): readonly string[] {
  const isGood = {
    status: status === "sent" || status === "delivered" || status === "failed",
    provider: typeof provider === "string",
    error: status !== "failed" || typeof error === "string",
  };
  return Object.entries(isGood).flatMap(([member, isFine]) => (isFine ? [] : [member]));
}

/** What an attempt ended with whose channel answered no outcome. */
export function noOutcome({ name }: Channel, outcome: unknown): DeliveryOutcome {
  const got =
    typeof outcome === "object" && outcome !== null
      ? `an object with ${Object.keys(outcome).join(", ").slice(0, 100) || "nothing"}, without a valid ${wrongIn(outcome).join(" and ")}`
      : String(outcome);
  const wanted = '{ status: "sent" | "delivered", provider } or { status: "failed", provider, transient, error }';
  // For good: another attempt would answer the same, after it has delivered again.
  return {
    status: "failed",
    transient: false,
    provider: name,
    error: `The channel ${name} answered ${got.slice(0, 200)}; expected ${wanted}.`,
  };
}
