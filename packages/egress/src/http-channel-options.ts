import type { EgressOptions } from "./egress.ts";

/** The options of every channel over a provider's HTTP API. */
export interface HttpChannelOptions {
  /** The channel's name. @default the provider's */
  readonly name?: string;
  /** The delays before the second, third, … attempt, in milliseconds. @default 5 s, 1 m, 5 m, 30 m, 2 h, 6 h */
  readonly retryDelaysMs?: readonly number[];
  /** How long the provider may take, from the look-up of its name to the end of its answer, in milliseconds. @default 15,000 */
  readonly timeoutMs?: number;
  /** The address of your application, which relative links of notifications begin with. @default relative links are left out */
  readonly baseUrl?: string;
  /** Where the provider's API is: for tests with a local server, and for gateways. @default the provider's own address */
  readonly api?: string;
  /** Lets `api` be at a private address, and use plain http. @default false */
  readonly allowPrivate?: boolean;
  /** The resolver of names and the opener of connections. @default the system's resolver, and sockets */
  readonly egress?: Omit<EgressOptions, "allowPrivate">;
  /** Tells the time, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** A secret, or a function that gives each tenant its own. It is called for every attempt, so that a renewed one counts at once. */
export type Credential = string | ((tenant: string) => string | Promise<string>);
