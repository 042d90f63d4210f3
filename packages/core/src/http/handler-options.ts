import type { Clock } from "../foundation/clock.ts";
import type { Logger } from "../foundation/logger.ts";
import type { AuthFunction, AuthOptions } from "./auth/authenticator.ts";
import type { Contract } from "./contract.ts";
import type { HttpRequest } from "./messages.ts";
import type { RateLimiter } from "./rate-limits.ts";

/** Options of a handler: the contracts it serves, and the callers it accepts. */
export interface HandlerOptions {
  /** The contracts to serve, for example `[inboxV1(), django()]`. */
  readonly contracts: readonly Contract[];
  /** The callers it accepts: the built-in kinds of credentials, or the host's own function. @default nobody */
  readonly auth?: AuthOptions | AuthFunction;
  /** The most bytes that a request body may have when Belfry reads it. @default 1_048_576 */
  readonly maxBodyBytes?: number;
  /**
   * The limit for a client's creates: a limiter of the rate-limiter-flexible package, or an object like it. Above the limit,
   * creates are answered 429 with `Retry-After`.
   * @default no limit
   */
  readonly rateLimiter?: RateLimiter;
  /**
   * The limit for bad credentials of one address. Above the limit, credentials are answered 429 without a look-up. `false`
   * for no limit. Unknown and private addresses are not counted, because many callers stand behind them: see
   * {@link clientAddress}.
   * @default 100 a minute, counted by this process
   */
  readonly badCredentialLimiter?: RateLimiter | false | undefined;
  /**
   * Returns the address to count a request by, for hosts behind a proxy: `(request) => request.headers["x-real-ip"]` if the
   * proxy sets that header itself. IPv6 addresses are counted by their /64.
   * @default the peer's own address
   */
  readonly clientAddress?: (request: HttpRequest) => string | undefined;
  /**
   * The most WebSockets and streams that one address may have open. One more is answered 429. `false` for no limit.
   * @default 1,000 for a public address; no limit for a private address or this machine's own, because a proxy stands for
   *   many callers
   */
  readonly maxSocketsPerAddress?: number | false;
  /**
   * Origins whose pages may open WebSockets, and may call contracts that need no credential, for example
   * `["https://app.example.com"]`.
   * @default the host's own origin if `auth` is a function or a contract is open, else any
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * The prefix that everything is mounted under, for example `/x`. Adapters need it to recognise their WebSockets. `fetch`
   * needs it for links, and gets its paths without the prefix.
   * @default ""
   */
  readonly basePath?: string;
  /** A logger with pino's methods. @default warnings and errors on the console */
  readonly logger?: Logger;
  /** @default the machine's clock */
  readonly clock?: Clock;
}
