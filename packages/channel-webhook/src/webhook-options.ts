import type { EgressOptions } from "@belfry/egress";

/** One secret, or several during a change of secrets, newest first. Each is `whsec_` and base64. */
export type WebhookSecret = string | readonly string[];

/** The options of {@link webhook}. */
export interface WebhookOptions {
  /** Signs the requests. Every secret of a list signs, so receivers may still use an old one. */
  readonly secret: WebhookSecret | ((tenant: string) => WebhookSecret | Promise<WebhookSecret>);
  /**
   * Lets webhooks reach loopback and private networks, and use plain http.
   * @default false
   */
  readonly allowPrivate?: boolean;
  /** How long a receiver may take, from the look-up of its name to the end of its answer, in milliseconds. @default 15,000 */
  readonly timeoutMs?: number;
  /** More headers for a tenant's requests. {@link invalidWebhookHeaders} says which are refused. @default none */
  readonly headers?: (tenant: string) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /** The channel's name. @default "webhook" */
  readonly name?: string;
  /** The delays before the second, third, … attempt, in milliseconds. @default 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h */
  readonly retryDelaysMs?: readonly number[];
  /**
   * Which attempts keep what was sent and what came back, for operators: up to 4,096 characters of each body, and headers without credentials.
   * @default "all"
   */
  readonly exchanges?: "all" | "failures" | "none";
  /** The resolver of names and the opener of connections. @default the system's resolver, and sockets */
  readonly egress?: Omit<EgressOptions, "allowPrivate">;
  /** Tells the time, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** Every option by name. */
export const WEBHOOK_OPTIONS: Readonly<Record<keyof WebhookOptions, true>> = {
  secret: true,
  allowPrivate: true,
  timeoutMs: true,
  headers: true,
  name: true,
  retryDelaysMs: true,
  exchanges: true,
  egress: true,
  now: true,
};

/** Every option of `egress` by name. */
export const WEBHOOK_EGRESS: Readonly<Record<keyof NonNullable<WebhookOptions["egress"]>, true>> = {
  ca: true,
  resolve: true,
  connect: true,
};
