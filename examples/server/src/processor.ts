import type { HubOptions } from "@belfry/core";
import { openai } from "@belfry/processor-openai";
import type { ServerConfig } from "./config.ts";
import { DRAIN_MS } from "./shut-down.ts";

/** People watch the results of their events, so a model that gives no answer within half a minute has failed. */
const RETRY_DELAYS_MS = [1_000, 4_000, 15_000];

/** Makes the processor of the hub. Without a model, every record fails with an error that says so. */
export function processorOf({ model, retryBaseMs }: ServerConfig): HubOptions {
  if (model === null) {
    return { drainMs: DRAIN_MS };
  }
  const { baseURL, apiKey } = model;
  const firstMs = retryBaseMs ?? 1_000;
  const retryDelaysMs = RETRY_DELAYS_MS.map((delayMs) => Math.round((delayMs * firstMs) / 1_000));
  const processor = openai({ model: model.model, retryDelaysMs, ...(baseURL && { baseURL }), ...(apiKey && { apiKey }) });
  return { processor, drainMs: DRAIN_MS };
}
