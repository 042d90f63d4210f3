import { BelfryError } from "../foundation/errors.ts";
import { type MembersOf, strangerIn } from "../foundation/known-members.ts";
import type { Logger } from "../foundation/logger.ts";
import { describe } from "../foundation/parse-text.ts";
import type { AuthOptions } from "./auth/authenticator.ts";
import { checkCredentialTable } from "./auth/check-credential-table.ts";
import type { Contract } from "./contract.ts";
import type { HandlerOptions } from "./handler-options.ts";

/** The part of `auth` that each kind of credential needs. */
const AUTH_OF = { bearer: "jwt", token: "tokens", "api-key": "apiKeys" } as const;

const AUTH: MembersOf<AuthOptions> = { jwt: true, tokens: true, apiKeys: true };

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

/** Checks a handler's options. Throws `CONFIGURATION`. Warns about options that work but are probably a mistake. */
export function checkHandlerOptions(options: HandlerOptions, logger: Logger): void {
  const { contracts, auth, allowedOrigins, clientAddress } = options;
  const stranger = strangerIn("A handler", options, OPTIONS);
  if (stranger !== null) {
    throw wrong(stranger);
  }
  checkContracts(contracts);
  checkOrigins(allowedOrigins);
  checkCount("maxBodyBytes", options.maxBodyBytes);
  checkCount("maxSocketsPerAddress", options.maxSocketsPerAddress === false ? undefined : options.maxSocketsPerAddress);
  if (clientAddress !== undefined && typeof clientAddress !== "function") {
    throw wrong(`clientAddress must be a function of the request, is ${describe(clientAddress)}`);
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
    throw wrong(`${name} must be a whole number above 0, is ${String(value)}`);
  }
}

function checkAuth(
  auth: Exclude<HandlerOptions["auth"], undefined | CallableFunction>,
  contracts: readonly Contract[],
  logger: Logger,
): void {
  if (typeof auth !== "object" || auth === null) {
    throw wrong(`auth must be an object such as { jwt: { secret } }, or a function, is ${describe(auth)}`);
  }
  const stranger = strangerIn("auth, where it is no function,", auth, AUTH);
  if (stranger !== null) {
    throw wrong(stranger);
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
