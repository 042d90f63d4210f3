import type { ProcessingOutcome, ProcessingUsage } from "@belfry/core";
import { cut } from "./cut.ts";
import { processingFailure } from "./failure.ts";

/** The part of a chat completion that the processor reads. */
export interface Completion {
  readonly text: string;
  readonly finishReason: string;
  readonly usage: { readonly inputTokens: number | undefined; readonly outputTokens: number | undefined };
  readonly response: { readonly modelId: string };
}

const MAX_MODEL_LENGTH = 200;

/** Turns a chat completion into an outcome: its answer, or a failure if there is none. */
export function completionOutcome(completion: Completion, maxAnswerLength: number): ProcessingOutcome {
  if (completion.finishReason === "content-filter") {
    return processingFailure("the model, or its provider's filter, refused to answer", false);
  }
  const text = storable(completion.text).trim();
  if (text === "") {
    return processingFailure(`the model gave an empty answer (finish reason: ${completion.finishReason})`, true);
  }
  const usage = usageOf(completion.usage);
  const model = cut(storable(completion.response.modelId), MAX_MODEL_LENGTH);
  return {
    status: "completed",
    text: text.length > maxAnswerLength ? `${cut(text, maxAnswerLength - 1)}…` : text,
    ...(usage === undefined ? {} : { usage }),
    ...(model === "" ? {} : { model }),
  };
}

/** Databases refuse NUL characters and half surrogate pairs. */
function storable(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

function usageOf({ inputTokens, outputTokens }: Completion["usage"]): ProcessingUsage | undefined {
  return isCount(inputTokens) && isCount(outputTokens) ? { inputTokens, outputTokens } : undefined;
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}
