import type { Ask } from "./http.ts";
import type { Result } from "./result.ts";

/** A subscription of the user's. */
export interface Subscription {
  readonly topic: string;
  /** Whether it counts for the topics below, too. */
  readonly deep: boolean;
  /** The only channels that it is meant for; null for every one. */
  readonly channels: readonly string[] | null;
  readonly createdAt: string;
}

/** Which subscriptions to list. */
export interface SubscriptionsInput {
  /** Only topics of this path, and below it. */
  readonly prefix?: string;
  /** 1 to 100. @default 20 */
  readonly limit?: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** One page of subscriptions. It may be shorter than its limit before the end. */
export interface SubscriptionsPage {
  readonly subscriptions: readonly Subscription[];
  /** Leads to the next page; null at the end. */
  readonly nextCursor: string | null;
}

/**
 * Reads and changes the user's own subscriptions to topics. Calls resolve with the error where the server does not allow it. They never reject.
 *
 * @example
 * ```ts
 * await client.topics.subscribe("post:7");
 * const listed = await client.topics.list();
 * console.log(listed.ok ? listed.value.subscriptions : listed.error.code);
 * ```
 */
export class Topics {
  readonly #ask: Ask;

  /** Hosts do not call this. They use `inbox.topics`. */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Lists subscriptions by topic. */
  list(input: SubscriptionsInput = {}): Promise<Result<SubscriptionsPage>> {
    return this.#ask("/topics", { query: { ...input } });
  }

  /** Subscribes the user to a topic, or changes the subscription. What is left out stays. */
  subscribe(topic: string, options: Partial<Pick<Subscription, "deep" | "channels">> = {}): Promise<Result<void>> {
    return this.#ask(path(topic), { method: "PUT", body: options });
  }

  /** Ends a subscription. */
  unsubscribe(topic: string): Promise<Result<void>> {
    return this.#ask(path(topic), { method: "DELETE" });
  }
}

/** A topic's path: its segments stay apart. */
function path(topic: string): string {
  return `/topics/${topic.split("/").map(encodeURIComponent).join("/")}`;
}
