import type { ProcessingOutcome, ProcessingUsage } from "../../processor.ts";

/** What a processor answered, if it has the shape of an outcome; else a failure for good that says what is wrong with it. */
export function checkOutcome(outcome: ProcessingOutcome, processor: string): ProcessingOutcome {
  const wrong = wrongMember(outcome);
  if (wrong !== null) {
    return {
      status: "failed",
      transient: false,
      error: `The processor ${processor} answered no outcome: its ${wrong} is not of the right kind.`,
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
    return "whole";
  }
  if (outcome.status === "completed") {
    return typeof outcome.text === "string" ? null : "text";
  }
  if (outcome.status !== "failed") {
    return "status";
  }
  return typeof outcome.error === "string" ? null : "error";
}

function isUsage({ inputTokens, outputTokens }: ProcessingUsage): boolean {
  return [inputTokens, outputTokens].every((tokens) => Number.isSafeInteger(tokens) && tokens >= 0);
}
