import { BelfryError } from "../foundation/errors.ts";
import type { Logger } from "../foundation/logger.ts";
import type { Contract } from "./contract.ts";
import type { HandlerOptions } from "./handler-options.ts";

/** The part of `auth` that each kind of credential needs. */
const AUTH_OF = { bearer: "jwt", token: "tokens", "api-key": "apiKeys" } as const;

/** HS256 is as strong as its secret, and that of a whole key has 256 bits (RFC 7518, 3.2). */
const SECRET_BYTES = 32;

/** Checks what a handler is to serve; throws `CONFIGURATION`. What works, but is hardly meant, is a warning. */
export function checkHandlerOptions({ contracts, auth }: HandlerOptions, logger: Logger): void {
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
  if (typeof auth !== "function") {
    checkAuth(auth ?? {}, contracts, logger);
  }
}

function checkAuth(
  auth: Exclude<HandlerOptions["auth"], undefined | CallableFunction>,
  contracts: readonly Contract[],
  logger: Logger,
): void {
  const known: readonly string[] = Object.values(AUTH_OF);
  const unknown = Object.keys(auth).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw wrong(`auth has no "${unknown}"; it takes ${known.join(", ")}, or is a function`);
  }
  for (const { name, credential } of contracts) {
    const needed = credential === "open" ? null : AUTH_OF[credential];
    if (needed !== null && auth[needed] === undefined) {
      logger.warn({}, `The contract ${name} is mounted, but auth.${needed} is not given: everybody who asks is answered 401.`);
    }
  }
  const secret = auth.jwt?.secret;
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret).length : (secret?.length ?? SECRET_BYTES);
  if (bytes > 0 && bytes < SECRET_BYTES) {
    logger.warn({}, `auth.jwt.secret has ${bytes} bytes; whoever guesses it is any user. Take at least ${SECRET_BYTES} random ones.`);
  }
}

function wrong(what: string): BelfryError {
  return new BelfryError("CONFIGURATION", `Belfry cannot serve this: ${what}.`);
}
