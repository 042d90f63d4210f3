import { BelfryError, type JsonObject, requireOptions } from "@belfry/core";
import type { OpenAIOptions } from "./openai-options.ts";

/** The checked options with their defaults. */
export interface Settings {
  readonly name: string;
  readonly model: string;
  readonly baseURL: string;
  readonly apiKey: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly parameters: JsonObject;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly retryDelaysMs: readonly number[];
  readonly maxContentLength: number;
  readonly maxMetadataLength: number;
  readonly maxAnswerLength: number;
  readonly now: () => number;
}

const OPTIONS: Readonly<Record<keyof OpenAIOptions, true>> = {
  model: true,
  apiKey: true,
  baseURL: true,
  headers: true,
  parameters: true,
  timeoutMs: true,
  concurrency: true,
  retryDelaysMs: true,
  maxContentLength: true,
  maxMetadataLength: true,
  maxAnswerLength: true,
  name: true,
  now: true,
};
const DEFAULT_BASE_URL = "https://api.openai.com/v1";
/** Together long enough for a rate limit per minute, and for a short outage. */
const RETRY_DELAYS_MS = [2_000, 15_000, 60_000, 300_000];
const MAX_RETRY_DELAY_MS = 24 * 60 * 60_000;
/** Node's own limit on the time until an answer begins. */
const MAX_TIMEOUT_MS = 300_000;
const MAX_CONCURRENCY = 1_000;
const MAX_LENGTH = 10_000_000;
/** Visible ASCII and inner spaces: `fetch` would refuse the rest, and quote the value in its error. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const OWN_PARAMETERS = ["model", "messages", "stream"];

/**
 * Checks the options.
 * @throws `CONFIGURATION` for the first invalid option. The message contains neither the key nor a header's value.
 */
export function settingsOf(options: OpenAIOptions): Settings {
  requireOptions("openai", options, OPTIONS);
  if (options.name !== undefined && typeof options.name !== "string") {
    throw refusal(`name is a ${typeof options.name}; give a text`);
  }
  return {
    name: options.name ?? "openai",
    model: checkedModel(options.model),
    baseURL: checkedBaseUrl(options.baseURL ?? DEFAULT_BASE_URL),
    apiKey: checkedKey(options.apiKey),
    headers: checkedHeaders(options.headers ?? {}),
    parameters: checkedParameters(options.parameters ?? {}),
    timeoutMs: whole(options.timeoutMs ?? 60_000, "timeoutMs", MAX_TIMEOUT_MS),
    concurrency: whole(options.concurrency ?? 5, "concurrency", MAX_CONCURRENCY),
    retryDelaysMs: checkedList(options.retryDelaysMs ?? RETRY_DELAYS_MS).map((delay) => whole(delay, "retryDelaysMs", MAX_RETRY_DELAY_MS)),
    maxContentLength: whole(options.maxContentLength ?? 100_000, "maxContentLength", MAX_LENGTH),
    maxMetadataLength: whole(options.maxMetadataLength ?? 20_000, "maxMetadataLength", MAX_LENGTH),
    maxAnswerLength: whole(options.maxAnswerLength ?? 100_000, "maxAnswerLength", MAX_LENGTH),
    now: options.now ?? Date.now,
  };
}

function checkedModel(model: string): string {
  if (typeof model !== "string" || model.trim() === "") {
    throw refusal(
      `model is ${typeof model === "string" ? "empty" : `a ${typeof model}`}; give the name that the provider has for the model`,
    );
  }
  return model;
}

function checkedBaseUrl(baseURL: string): string {
  const url = typeof baseURL === "string" && URL.canParse(baseURL) ? new URL(baseURL) : null;
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (url === null || !isWeb || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    // The message does not repeat the URL, which may hold a password.
    throw refusal("baseURL cannot be used; give an http(s) URL without user, password, query and fragment");
  }
  return url.href.replace(/\/+$/, "");
}

function checkedKey(apiKey: string | undefined): string | undefined {
  if (apiKey !== undefined && !(typeof apiKey === "string" && HEADER_VALUE.test(apiKey))) {
    throw refusal("apiKey cannot be sent; give visible ASCII characters without a line break, or leave it out if none is needed");
  }
  return apiKey;
}

function checkedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name) || typeof value !== "string" || !HEADER_VALUE.test(value)) {
      throw refusal(`the header ${JSON.stringify(name)} cannot be sent; give a header name, and visible ASCII characters as its value`);
    }
  }
  return { ...headers };
}

function checkedParameters(parameters: JsonObject): JsonObject {
  const own = OWN_PARAMETERS.find((name) => Object.hasOwn(parameters, name));
  if (own !== undefined) {
    throw refusal(`parameters has ${own}, which the processor sets itself; leave it out`);
  }
  return { ...parameters };
}

function checkedList(delays: readonly number[]): readonly number[] {
  if (!Array.isArray(delays)) {
    throw refusal("retryDelaysMs is no list; give the delays in milliseconds, such as [2_000, 15_000]");
  }
  return delays;
}

function whole(value: number, option: string, max: number): number {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw refusal(`${option} is ${typeof value === "number" ? value : `a ${typeof value}`}; give a whole number from 1 to ${max}`);
  }
  return value;
}

function refusal(problem: string): BelfryError {
  return new BelfryError("CONFIGURATION", `openai: ${problem}`);
}
