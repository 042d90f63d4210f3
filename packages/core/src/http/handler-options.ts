import type { Clock } from "../foundation/clock.ts";
import type { Logger } from "../foundation/logger.ts";
import type { AuthFunction, AuthOptions } from "./auth/authenticator.ts";
import type { Contract } from "./contract.ts";
import type { HttpRequest } from "./messages.ts";
import type { RateLimiter } from "./rate-limits.ts";

/** What a handler serves, and to whom. */
export interface HandlerOptions {
  /** The contracts to serve, for example `[inboxV1(), django()]`. */
  readonly contracts: readonly Contract[];
  /** Who may ask: credentials of the ready kinds, or the host's own function. @default nobody */
  readonly auth?: AuthOptions | AuthFunction;
  /** The most bytes a request body may have, where Belfry reads it. @default 1_048_576 */
  readonly maxBodyBytes?: number;
  /**
   * How many notifications a client may create: a limiter of the rate-limiter-flexible package, or anything like it.
   * Beyond it, creates are answered 429 with `Retry-After`. @default no limit
   */
  readonly rateLimiter?: RateLimiter;
  /**
   * How many bad credentials an address may present; beyond it, they are answered 429, before they are looked up. `false`
   * for no limit. Unknown and private addresses, behind which many callers stand, are not counted: see
   * {@link clientAddress}. @default 100 a minute, counted by this process
   */
  readonly badCredentialLimiter?: RateLimiter | false | undefined;
  /**
   * Names the address to count a request by, where a proxy stands in between: `(request) => request.headers["x-real-ip"]`
   * where the proxy sets that header itself. Addresses of IPv6 are counted by their /64. @default the peer's own address
   */
  readonly clientAddress?: (request: HttpRequest) => string | undefined;
  /**
   * How many WebSockets and streams one address may have open; beyond it, another one is answered 429. `false` for no limit.
   * @default 1,000 for a public address; none for a private one or this machine's own, where a proxy stands for many
   */
  readonly maxSocketsPerAddress?: number | false;
  /**
   * Origins whose pages may open WebSockets, and ask contracts that need no credential, for example
   * `["https://app.example.com"]`. @default the host's own origin where `auth` is a function or a contract is open, else any
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * The prefix everything is mounted under, for example `/x`: adapters need it to know their WebSockets, `fetch` for
   * links (it gets its paths without the prefix). @default ""
   */
  readonly basePath?: string;
  /** Anything pino-shaped. @default warnings and errors on the console */
  readonly logger?: Logger;
  /** @default the machine's clock */
  readonly clock?: Clock;
}
