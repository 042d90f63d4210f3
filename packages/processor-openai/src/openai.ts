import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { Processor } from "@belfry/core";
import { generateText } from "ai";
import { boundedFetch } from "./bounded-fetch.ts";
import { failureOf, processingFailure } from "./failure.ts";
import { messagesOf } from "./messages.ts";
import type { OpenAIOptions } from "./openai-options.ts";
import { redactor } from "./redact.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { completionOutcome } from "./success.ts";

/** Enough for the longest answer that is kept with its JSON, and small enough for many at once. */
const MAX_ANSWER_BYTES = 4 * 1_024 * 1_024;
/** The processor ends an attempt itself and says why. The engine's limit is this much longer, in case that fails. */
const ENGINE_MARGIN_MS = 1_000;

/**
 * Makes the processor that asks a model behind an OpenAI-compatible API: OpenAI itself, a gateway, or a server of your own.
 * The handler's prompt is the system message; the event is the user message, fenced and declared to be data.
 *
 * It asks once per attempt; the engine retries, and waits as long as the provider asks for. 408, 409, 425, 429, 5xx,
 * time-outs, broken connections and unreadable or empty answers are transient failures; other refusals are not.
 *
 * @throws `CONFIGURATION` for options that cannot be used.
 * @example
 * ```ts
 * const processor = openai({ apiKey: process.env.OPENAI_API_KEY ?? "", model: "gpt-5-mini" });
 * const notifications = new NotificationService({ storage, hub: { processor } });
 * ```
 */
export function openai(options: OpenAIOptions): Processor {
  const settings = settingsOf(options);
  const { timeoutMs, now } = settings;
  const model = modelOf(settings);
  const redact = redactor([settings.apiKey ?? "", ...Object.values(settings.headers)]);
  return {
    name: settings.name,
    timeoutMs: timeoutMs + ENGINE_MARGIN_MS,
    concurrency: settings.concurrency,
    retryDelaysMs: settings.retryDelaysMs,
    async process(task, signal) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const { system, user } = messagesOf(task, settings);
      try {
        const abortSignal = AbortSignal.any([signal, timeout]);
        const completion = await generateText({ model, instructions: system, prompt: user, maxRetries: 0, abortSignal });
        return completionOutcome(completion, settings.maxAnswerLength);
      } catch (error) {
        if (signal.aborted) {
          return processingFailure("the attempt was broken off before the model had answered", true);
        }
        return timeout.aborted
          ? processingFailure(`the model gave no answer within ${timeoutMs} ms`, true)
          : failureOf(error, { redact, now });
      }
    },
  } satisfies Processor;
}

function modelOf({ name, baseURL, apiKey, headers, parameters, model }: Settings) {
  const provider = createOpenAICompatible({
    name,
    baseURL,
    headers: { ...headers },
    fetch: boundedFetch(MAX_ANSWER_BYTES),
    transformRequestBody: (body) => ({ ...body, ...parameters }),
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  return provider.chatModel(model);
}
