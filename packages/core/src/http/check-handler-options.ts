import { BelfryError } from "../foundation/errors.ts";
import { hasFunctions, type MembersOf, requireLoggerAndClock, requireOptions } from "../foundation/issue-list.ts";
import type { Logger } from "../foundation/logger.ts";
import { describe, shown } from "../foundation/parse-text.ts";
import type { AuthOptions } from "./auth/authenticator.ts";
import type { JwtOptions } from "./auth/jwt.ts";
import type { Contract } from "./contract.ts";
import type { HandlerOptions } from "./handler-options.ts";
import type { ContractService } from "./route.ts";

/** The least length of a credential. A shorter one can be guessed. */
const CREDENTIAL_LENGTH = 16;
/** The least number of changes between letters and digits in random text. Names have fewer. */
const RANDOM_CHANGES = 5;

/** The findings in a table of credentials: an error, or a probable mistake. */
export interface TableFindings {
  readonly problem?: string;
  readonly warning?: string;
}

/** Checks a table of credentials that a host wrote. The table's keys are the credentials, even if the host meant its values. */
export function checkCredentialTable(name: "apiKeys" | "tokens", table: unknown): TableFindings {
  if (table === undefined || typeof table === "function") {
    return {};
  }
  const shape = name === "apiKeys" ? '{ "<key>": "<tenant>" }' : '{ "<token>": "<user>" }';
  if (typeof table !== "object" || table === null || Array.isArray(table)) {
    return { problem: `auth.${name} must be a table ${shape}, a Map or a function, is ${describe(table)}` };
  }
  const entries: readonly (readonly [unknown, unknown])[] = table instanceof Map ? [...table] : Object.entries(table);
  if (entries.some(([credential]) => typeof credential !== "string" || credential === "")) {
    return { problem: `auth.${name} has a credential that is no text, or an empty one` };
  }
  const short = entries.filter(([credential]) => (credential as string).length < CREDENTIAL_LENGTH);
  if (short.some(([, found]) => looksRandom(found))) {
    return { problem: `auth.${name} reads as if it were the wrong way round: the credential comes first, ${shape}` };
  }
  return short.length === 0
    ? {}
    : {
        warning: `auth.${name} has ${short.length} credentials of fewer than ${CREDENTIAL_LENGTH} characters: whoever guesses one is let in.`,
      };
}

function looksRandom(found: unknown): boolean {
  if (typeof found !== "string" || found.length < CREDENTIAL_LENGTH) {
    return false;
  }
  return (found.match(/[a-z](?=\d)|\d(?=[a-z])/gi)?.length ?? 0) >= RANDOM_CHANGES;
}

/** The part of `auth` that each kind of credential needs. */
const AUTH_OF = { bearer: "jwt", token: "tokens", "api-key": "apiKeys" } as const;

const AUTH: MembersOf<AuthOptions> = { jwt: true, tokens: true, apiKeys: true };
const JWT: MembersOf<JwtOptions> = { secret: true, jwks: true, issuer: true, audience: true, clockToleranceS: true };

/** HS256 is only as strong as its secret. A full-strength secret has 256 bits (RFC 7518, 3.2). */
const SECRET_BYTES = 32;

const OPTIONS: MembersOf<HandlerOptions> = {
  contracts: true,
  auth: true,
  maxBodyBytes: true,
  rateLimiter: true,
  badCredentialLimiter: true,
  clientAddress: true,
  maxSocketsPerAddress: true,
  allowedOrigins: true,
  basePath: true,
  logger: true,
  clock: true,
};

/** Checks the shapes of what a handler is made of, before any of it is used. Throws `CONFIGURATION`. */
export function checkHandlerParts(service: unknown, options: HandlerOptions): void {
  if (typeof (service as Partial<ContractService> | null | undefined)?.defaultTenant?.tenantId !== "string") {
    throw wrong(`a handler needs a NotificationService first, got ${describe(service)}`);
  }
  requireOptions("a handler", options, OPTIONS);
  requireLoggerAndClock(options);
}

/** Checks a handler's options. Throws `CONFIGURATION`. Warns about options that work but are probably a mistake. */
export function checkHandlerOptions(options: HandlerOptions, logger: Logger): void {
  const { contracts, auth, allowedOrigins, clientAddress, basePath } = options;
  checkContracts(contracts);
  checkOrigins(allowedOrigins);
  checkCount("maxBodyBytes", options.maxBodyBytes);
  checkCount("maxSocketsPerAddress", options.maxSocketsPerAddress === false ? undefined : options.maxSocketsPerAddress);
  if (clientAddress !== undefined && typeof clientAddress !== "function") {
    throw wrong(`clientAddress must be a function of the request, is ${describe(clientAddress)}`);
  }
  if (basePath !== undefined && !(typeof basePath === "string" && /^(\/.*)?$/.test(basePath))) {
    throw wrong(`basePath must be a path such as "/x", is ${shown(basePath)}`);
  }
  for (const name of ["rateLimiter", "badCredentialLimiter"] as const) {
    const limiter: unknown = options[name];
    if (limiter !== undefined && limiter !== false && !hasFunctions(limiter, ["consume"])) {
      throw wrong(`${name} must be an object with consume(), is ${describe(limiter)}`);
    }
  }
  if (typeof auth !== "function") {
    checkAuth(auth ?? {}, contracts, logger);
  }
}

function checkContracts(contracts: unknown): void {
  if (!Array.isArray(contracts)) {
    throw wrong("contracts must be a list, such as [inboxV1(), django()]");
  }
  const names = new Set<string>();
  for (const contract of contracts as readonly Contract[]) {
    if (typeof contract !== "object" || !Array.isArray(contract?.routes)) {
      throw wrong("contracts holds what is none; call its function: inboxV1(), not inboxV1");
    }
    if (names.has(contract.name)) {
      throw wrong(`the contract "${contract.name}" is mounted twice`);
    }
    names.add(contract.name);
  }
}

function checkOrigins(origins: unknown): void {
  if (origins === undefined) {
    return;
  }
  if (!Array.isArray(origins)) {
    throw wrong(`allowedOrigins must be a list such as ["https://app.example.com"], is ${describe(origins)}`);
  }
  const bad = origins.find((origin) => typeof origin !== "string" || !URL.canParse(origin) || new URL(origin).origin !== origin);
  if (bad !== undefined) {
    throw wrong(`allowedOrigins holds ${JSON.stringify(bad)}; an origin is a scheme, a host and a port, such as https://app.example.com`);
  }
}

function checkCount(name: string, value: unknown): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) > 0)) {
    throw wrong(`${name} must be a whole number above 0, is ${shown(value)}`);
  }
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
  for (const name of ["apiKeys", "tokens"] as const) {
    const { problem, warning } = checkCredentialTable(name, auth[name]);
    if (problem) {
      throw wrong(problem);
    }
    if (warning) {
      logger.warn({}, warning);
    }
  }
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

function wrong(what: string): BelfryError {
  return new BelfryError("CONFIGURATION", `Belfry cannot serve this: ${what}.`);
}
