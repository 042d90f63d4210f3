import { BelfryError, type Logger, requireOptions } from "@belfry/core";

/** How signals are carried over Redis. */
export interface RedisTransportOptions {
  /** What names of keys and channels begin with. Installations that share a Redis need different ones, whatever database they name. @default "belfry" */
  readonly prefix?: string;
  /**
   * Into how many channels the inboxes are divided. A process hears those that one of its inboxes is in: the more channels, the less it hears of
   * others. It has to be the same in every process. @default 65_536
   */
  readonly shards?: number;
  /** How often a connection is tested, and how long it may take to answer, in milliseconds. @default 3_000 */
  readonly heartbeatMs?: number;
  /** Where it is said that Redis cannot be reached, and that it can again. @default warnings and errors on the console */
  readonly logger?: Logger;
}

const OPTIONS: Readonly<Record<keyof RedisTransportOptions, true>> = { prefix: true, shards: true, heartbeatMs: true, logger: true };

export const DEFAULT_HEARTBEAT_MS = 3_000;
export const DEFAULT_SHARDS = 65_536;
export const DEFAULT_PREFIX = "belfry";
const MAX_SHARDS = 1_048_576;
const MAX_PREFIX = 64;

/** @throws BelfryError `CONFIGURATION` that names the option that is wrong */
export function checkRedisOptions(options: RedisTransportOptions): void {
  requireOptions("redisTransport", options, OPTIONS);
  const { prefix, shards, heartbeatMs } = options;
  if (prefix !== undefined && !(typeof prefix === "string" && prefix.length <= MAX_PREFIX && /^[^{}\s]+$/.test(prefix))) {
    throw wrong(`prefix as a text of 1 to ${MAX_PREFIX} characters, without spaces and braces`);
  }
  if (shards !== undefined && !(Number.isSafeInteger(shards) && shards > 0 && shards <= MAX_SHARDS)) {
    throw wrong(`shards as a whole number from 1 to ${MAX_SHARDS}`);
  }
  if (heartbeatMs !== undefined && !(Number.isSafeInteger(heartbeatMs) && heartbeatMs > 0)) {
    throw wrong("heartbeatMs as a whole number above 0");
  }
}

function wrong(what: string): BelfryError {
  return new BelfryError("CONFIGURATION", `redisTransport takes ${what}.`);
}
