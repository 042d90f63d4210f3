import type { EgressOptions } from "@belfry/egress";

/** One secret, or several while they are being changed: the newest first. Each is `whsec_` and base64. */
export type WebhookSecret = string | readonly string[];

/** How webhooks are sent. */
export interface WebhookOptions {
  /** What requests are signed with; every secret of a list signs, so receivers may still use an old one. */
  readonly secret: WebhookSecret | ((tenant: string) => WebhookSecret | Promise<WebhookSecret>);
  /**
   * Lets webhooks reach loopback and private networks, and use plain http.
   * @default false
   */
  readonly allowPrivate?: boolean;
  /** How long a receiver has, in milliseconds, from the look-up of its name to the end of its answer. @default 15,000 */
  readonly timeoutMs?: number;
  /** More headers for a tenant's requests. See {@link invalidWebhookHeaders} for what is refused. @default none */
  readonly headers?: (tenant: string) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /** What senders call the channel. @default "webhook" */
  readonly name?: string;
  /** The delays before the second, third, … attempt. @default 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h */
  readonly retryDelaysMs?: readonly number[];
  /** How names are resolved and connections opened. @default the system's resolver, and sockets */
  readonly egress?: Omit<EgressOptions, "allowPrivate">;
  /** Tells the time, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}
