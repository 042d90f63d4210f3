import type { ProcessingOutcome, ProcessingUsage } from "./processor.ts";

/** Returns a processor's outcome if it has the right shape, else a permanent failure that names the problem. */
export function checkOutcome(outcome: ProcessingOutcome, processor: string): ProcessingOutcome {
  const wrong = wrongMember(outcome);
  if (wrong !== null) {
    const wanted = '{ status: "completed", text } or { status: "failed", transient, error }';
    return {
      status: "failed",
      transient: false,
      error: `The processor ${processor} answered no outcome, but ${wrong}; expected ${wanted}.`,
    };
  }
  if (outcome.status !== "completed" || outcome.usage === undefined || isUsage(outcome.usage)) {
    return outcome;
  }
  const { usage: _, ...rest } = outcome;
  return rest;
}

function wrongMember(outcome: ProcessingOutcome): string | null {
  if (typeof outcome !== "object" || outcome === null) {
    return outcome === null ? "null" : `a value of type ${typeof outcome}`;
  }
  if (outcome.status === "completed") {
    return typeof outcome.text === "string" ? null : "an object whose text is no string";
  }
  if (outcome.status !== "failed") {
    return "an object of another status";
  }
  return typeof outcome.error === "string" ? null : "an object whose error is no string";
}

function isUsage({ inputTokens, outputTokens }: ProcessingUsage): boolean {
  return [inputTokens, outputTokens].every((tokens) => Number.isSafeInteger(tokens) && tokens >= 0);
}
