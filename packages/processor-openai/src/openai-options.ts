import type { JsonObject } from "@belfry/core";

/** Which model runs the handlers, and within which limits. */
export interface OpenAIOptions {
  /** The model's name, as the provider calls it. */
  readonly model: string;
  /** The key sent as `Authorization: Bearer`. It is in no error text. @default none is sent, as for a server of your own */
  readonly apiKey?: string;
  /** Where the API is; `/chat/completions` is added. Redirects from there are not followed. @default "https://api.openai.com/v1" */
  readonly baseURL?: string;
  /** More headers, where a provider wants its own. Their values are in no error text either. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * More fields of the request's body, such as `temperature`, `max_completion_tokens` or `reasoning_effort`. `model`,
   * `messages` and `stream` cannot be among them.
   * @default none
   */
  readonly parameters?: JsonObject;
  /** How long one answer may take, in milliseconds, up to 300,000: Node's `fetch` itself waits no longer. @default 60,000 */
  readonly timeoutMs?: number;
  /** How many requests one process has under way at once. @default 5 */
  readonly concurrency?: number;
  /**
   * The delays before the second, third, … attempt, in milliseconds; where the provider asks for a wait, that counts.
   * @default 2 s, 15 s, 1 m, 5 m
   */
  readonly retryDelaysMs?: readonly number[];
  /** How many characters of an event's content the model sees; what is beyond is left out, and the model told so. @default 100,000 */
  readonly maxContentLength?: number;
  /** The same for its metadata, as JSON. @default 20,000 */
  readonly maxMetadataLength?: number;
  /** How many characters of an answer are kept; a longer one ends with `…`. @default 100,000 */
  readonly maxAnswerLength?: number;
  /** Names it in logs and errors. @default "openai" */
  readonly name?: string;
  /** Tells the time, in milliseconds since 1970, for a `Retry-After` that is a date. @default Date.now */
  readonly now?: () => number;
}
