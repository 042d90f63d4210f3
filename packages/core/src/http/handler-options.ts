import type { Clock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import { hasFunctions, type MembersOf, requireLoggerAndClock, requireOptions } from "../foundation/issue-list.ts";
import type { Logger } from "../foundation/logger.ts";
import { describe, shown } from "../foundation/parse-text.ts";
import type { AuthFunction, AuthOptions } from "./auth/authenticator.ts";
import { apiKeysClient, tokensUser } from "./auth/host-answers.ts";
import type { JwtOptions } from "./auth/jwt.ts";
import type { Contract } from "./contract.ts";
import { type HealthOptions, healthIssue } from "./health-checks.ts";
import type { HttpRequest } from "./messages.ts";
import type { ContractService } from "./route.ts";
import type { SocketCounts } from "./socket-counts.ts";

/**
 * Limits how often an action may happen in a period. The limiters of the rate-limiter-flexible package fit, in memory or
 * over the host's Redis or PostgreSQL. It rejects with `{ msBeforeNext }` when the limit is used up, and with an error when
 * its store cannot be reached.
 */
export interface RateLimiter {
  consume(key: string, points?: number): Promise<unknown>;
}

/** Options of a handler: the contracts it serves, and the callers it accepts. */
export interface HandlerOptions {
  /** The contracts to serve, for example `[inboxV1(), django()]`. */
  readonly contracts: readonly Contract[];
  /**
   * Whether this host opens WebSockets. Say `false` where nothing calls `connect`, as in a route of Next: clients of `native` are told so,
   * and follow by streams without trying a socket first. @default true
   */
  readonly sockets?: boolean;
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
   * Counts an address's WebSockets and streams over several processes: `redis.socketCounts()` of a `redisTransport`. Each handler needs its own.
   * @default this process counts its own
   */
  readonly socketCounts?: SocketCounts;
  /**
   * Origins whose pages may open WebSockets, and may call contracts that need no credential, for example
   * `["https://app.example.com"]`.
   * @default the host's own origin if `auth` is a function or a contract is open, else any
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * The prefix that everything is mounted under, for example `/x`. Adapters need it to recognise their WebSockets. `fetch`
   * takes requests with their whole path, and answers those below the prefix.
   * @default ""
   */
  readonly basePath?: string;
  /**
   * Answers health checks at `/health/live` and `/health/ready`, or at other paths, to everybody who asks. @default false
   */
  readonly health?: boolean | HealthOptions;
  /** A logger with pino's methods. @default warnings and errors on the console */
  readonly logger?: Logger;
  /** @default the machine's clock */
  readonly clock?: Clock;
}

/** A handler's options with the logger and the clock that it uses. */
export type HandlerSettings = HandlerOptions & Required<Pick<HandlerOptions, "logger" | "clock">>;

/** The part of `auth` that each kind of credential needs. */
const AUTH_OF = { bearer: "jwt", token: "tokens", "api-key": "apiKeys" } as const;

const AUTH: MembersOf<AuthOptions> = { jwt: true, tokens: true, apiKeys: true };
const JWT: MembersOf<JwtOptions> = { secret: true, jwks: true, issuer: true, audience: true, clockToleranceS: true };

/** HS256 is only as strong as its secret. A full-strength secret has 256 bits (RFC 7518, 3.2). */
const SECRET_BYTES = 32;

const OPTIONS: MembersOf<HandlerOptions> = {
  contracts: true,
  sockets: true,
  auth: true,
  maxBodyBytes: true,
  rateLimiter: true,
  badCredentialLimiter: true,
  clientAddress: true,
  maxSocketsPerAddress: true,
  socketCounts: true,
  allowedOrigins: true,
  basePath: true,
  health: true,
  logger: true,
  clock: true,
};

/** Checks the shapes of what a handler is made of, before any of it is used. Throws `CONFIGURATION`. */
export function checkHandlerParts(service: unknown, options: HandlerOptions): void {
  const tenantId = (service as Partial<ContractService> | null | undefined)?.defaultTenant?.tenantId;
  check(typeof tenantId === "string", `a handler needs a NotificationService first, got ${describe(service)}`);
  requireOptions("a handler", options, OPTIONS);
  requireLoggerAndClock(options);
}

/** Checks a handler's options. Throws `CONFIGURATION`. Warns about options that work but are probably a mistake. */
export function checkHandlerOptions(options: HandlerSettings): void {
  const { contracts, auth, allowedOrigins, maxSocketsPerAddress, clientAddress, basePath, logger } = options;
  checkContracts(contracts);
  checkOrigins(allowedOrigins);
  checkCount("maxBodyBytes", options.maxBodyBytes);
  checkCount("maxSocketsPerAddress", maxSocketsPerAddress === false ? undefined : maxSocketsPerAddress);
  const { socketCounts } = options;
  const isCounter = socketCounts === undefined || hasFunctions(socketCounts, ["note"]);
  check(isCounter, `socketCounts must be an object with note(), is ${describe(socketCounts)}`);
  const isFunction = clientAddress === undefined || typeof clientAddress === "function";
  check(isFunction, `clientAddress must be a function of the request, is ${describe(clientAddress)}`);
  const { sockets = true } = options;
  check(typeof sockets === "boolean", `sockets must be true or false, is ${shown(sockets)}`);
  const issue = healthIssue(options.health);
  check(issue === null, issue ?? "");
  const isPath = basePath === undefined || (typeof basePath === "string" && /^(\/.*)?$/.test(basePath));
  check(isPath, `basePath must be a path such as "/x", is ${shown(basePath)}`);
  for (const name of ["rateLimiter", "badCredentialLimiter"] as const) {
    const limiter: unknown = options[name];
    const isLimiter = limiter === undefined || limiter === false || hasFunctions(limiter, ["consume"]);
    check(isLimiter, `${name} must be an object with consume(), is ${describe(limiter)}`);
  }
  if (typeof auth !== "function") {
    checkAuth(auth ?? {}, contracts, logger);
  }
}

function checkContracts(contracts: unknown): void {
  check(Array.isArray(contracts), "contracts must be a list, such as [inboxV1(), django()]");
  const names = new Set<string>();
  for (const contract of contracts as readonly Contract[]) {
    const isContract = typeof contract === "object" && Array.isArray(contract?.routes);
    check(isContract, "contracts holds something that is no contract; call its function: inboxV1(), not inboxV1");
    check(!names.has(contract.name), `the contract "${contract.name}" is mounted twice`);
    names.add(contract.name);
  }
}

function checkOrigins(origins: unknown): void {
  if (origins === undefined) {
    return;
  }
  check(Array.isArray(origins), `allowedOrigins must be a list such as ["https://app.example.com"], is ${describe(origins)}`);
  for (const origin of origins) {
    const isOrigin = typeof origin === "string" && URL.canParse(origin) && new URL(origin).origin === origin;
    const hint = "an origin is a scheme, a host and a port, such as https://app.example.com";
    check(isOrigin, `allowedOrigins holds ${JSON.stringify(origin)}; ${hint}`);
  }
}

function checkCount(name: string, value: unknown): void {
  const isCount = value === undefined || (Number.isSafeInteger(value) && (value as number) > 0);
  check(isCount, `${name} must be a whole number above 0, is ${shown(value)}`);
}

function checkAuth(
  auth: Exclude<HandlerOptions["auth"], undefined | CallableFunction>,
  contracts: readonly Contract[],
  logger: Logger,
): void {
  requireOptions("auth, where it is no function,", auth, AUTH);
  if (auth.jwt !== undefined) {
    requireOptions("auth.jwt", auth.jwt, JWT);
  }
  checkCredentials("apiKeys", auth.apiKeys, logger);
  checkCredentials("tokens", auth.tokens, logger);
  for (const { name, credential } of contracts) {
    const needed = credential === "open" ? null : AUTH_OF[credential];
    if (needed !== null && auth[needed] === undefined) {
      logger.warn({}, `The contract ${name} is mounted, but auth.${needed} is not given: everybody who asks is answered 401.`);
    }
  }
  warnOfShortSecret(auth.jwt?.secret, logger);
}

function warnOfShortSecret(secret: string | Uint8Array | undefined, logger: Logger): void {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret).length : (secret?.length ?? SECRET_BYTES);
  if (bytes > 0 && bytes < SECRET_BYTES) {
    logger.warn({}, `auth.jwt.secret has ${bytes} bytes; whoever guesses it is any user. Take at least ${SECRET_BYTES} random ones.`);
  }
}

/** The least length of a credential. A shorter one can be guessed. */
const CREDENTIAL_LENGTH = 16;
/** The least number of changes between letters and digits in random text. Names have fewer. */
const RANDOM_CHANGES = 5;

/** The checks of what a table has for a credential, which somebody who presents it would meet. */
const CHECKS_OF_FOUND = { tokens: (found: unknown) => tokensUser(found, "default"), apiKeys: apiKeysClient };

/** Checks a table of credentials that a host wrote. The table's keys are the credentials, even if the host meant its values. */
function checkCredentials(name: "apiKeys" | "tokens", table: unknown, logger: Logger): void {
  if (table === undefined || typeof table === "function") {
    return;
  }
  const shape = name === "apiKeys" ? '{ "<key>": "<tenant>" }' : '{ "<token>": "<user>" }';
  const isTable = typeof table === "object" && table !== null && !Array.isArray(table);
  check(isTable, `auth.${name} must be a table ${shape}, a Map or a function, is ${describe(table)}`);
  const entries: readonly (readonly [unknown, unknown])[] = table instanceof Map ? [...table] : Object.entries(table);
  const isText = entries.every(([credential]) => typeof credential === "string" && credential !== "");
  check(isText, `auth.${name} has a credential that is no text, or an empty one`);
  const short = entries.filter(([credential]) => (credential as string).length < CREDENTIAL_LENGTH);
  const isTurned = short.some(([, found]) => looksRandom(found));
  check(!isTurned, `auth.${name} reads as if it were the wrong way round: the credential comes first, ${shape}`);
  for (const [, found] of entries) {
    if (found !== null && found !== undefined) {
      CHECKS_OF_FOUND[name](found);
    }
  }
  if (short.length > 0) {
    const shorter = `${short.length} credentials of fewer than ${CREDENTIAL_LENGTH} characters`;
    logger.warn({}, `auth.${name} has ${shorter}: whoever guesses one is let in.`);
  }
}

function looksRandom(found: unknown): boolean {
  if (typeof found !== "string" || found.length < CREDENTIAL_LENGTH) {
    return false;
  }
  return (found.match(/[a-z](?=\d)|\d(?=[a-z])/gi)?.length ?? 0) >= RANDOM_CHANGES;
}

function check(isFine: boolean, problem: string): asserts isFine {
  if (!isFine) {
    throw new BelfryError("CONFIGURATION", `Belfry cannot serve this: ${problem}.`);
  }
}
