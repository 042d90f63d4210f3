import type { JsonObject } from "@belfry/core";

/** The model that runs the handlers, and its limits. */
export interface OpenAIOptions {
  /** The model's name, as the provider calls it. */
  readonly model: string;
  /** The key, sent as `Authorization: Bearer`. No error text contains it. @default no key is sent, for a server of your own */
  readonly apiKey?: string;
  /** Where the API is; `/chat/completions` is added. Redirects from there are not followed. @default "https://api.openai.com/v1" */
  readonly baseURL?: string;
  /** More headers, if the provider needs its own. No error text contains their values. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * More fields of the request's body, such as `temperature`, `max_completion_tokens` or `reasoning_effort`. `model`,
   * `messages` and `stream` cannot be among them.
   * @default none
   */
  readonly parameters?: JsonObject;
  /** How long one answer may take, in milliseconds, up to 300,000: Node's `fetch` itself waits no longer. @default 60,000 */
  readonly timeoutMs?: number;
  /** How many requests one process makes at once. @default 5 */
  readonly concurrency?: number;
  /**
   * The delays before the second, third, … attempt, in milliseconds. A wait that the provider asks for replaces them.
   * @default 2 s, 15 s, 1 m, 5 m
   */
  readonly retryDelaysMs?: readonly number[];
  /** How many characters of an event's content the model sees. If there are more, the model is told. @default 100,000 */
  readonly maxContentLength?: number;
  /** How many characters of an event's metadata, as JSON, the model sees. @default 20,000 */
  readonly maxMetadataLength?: number;
  /** How many characters of an answer are kept; a longer answer ends with `…`. @default 100,000 */
  readonly maxAnswerLength?: number;
  /** The processor's name in logs and errors. @default "openai" */
  readonly name?: string;
  /** Tells the time, in milliseconds since 1970, for a `Retry-After` that is a date. @default Date.now */
  readonly now?: () => number;
}
