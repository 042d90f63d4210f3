import { BelfryError, requireOptions } from "@belfry/core";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import type { RedisClient } from "./redis-source.ts";

/** How often something may happen, counted over all instances. */
export interface RedisLimit {
  /** Names what is counted: limiters of one name count together, in every process. */
  readonly name: string;
  /** How many times within the window for one key. */
  readonly limit: number;
  /** How long a window is, in seconds. @default 60 */
  readonly windowS?: number;
}

const OPTIONS: Readonly<Record<keyof RedisLimit, true>> = { name: true, limit: true, windowS: true };

const WINDOW_S = 60;
const MAX_NAME = 64;

/** Makes a limiter whose counts are in Redis; where Redis cannot be reached, the process counts by itself. @throws BelfryError `CONFIGURATION` */
export function limiterOver(client: RedisClient, prefix: string, given: RedisLimit): RateLimiterRedis {
  requireOptions("rateLimiter", given, OPTIONS);
  const { name, limit, windowS = WINDOW_S } = given;
  if (typeof name !== "string" || name === "" || name.length > MAX_NAME) {
    throw wrong(`name as a text of 1 to ${MAX_NAME} characters`);
  }
  if (!isWhole(limit) || !isWhole(windowS)) {
    throw wrong(`${isWhole(limit) ? "windowS" : "limit"} as a whole number above 0`);
  }
  const terms = { points: limit, duration: windowS, keyPrefix: `${prefix}:limit:${name}` };
  return new RateLimiterRedis({
    ...terms,
    storeClient: client,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory(terms),
  });
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function wrong(what: string): BelfryError {
  return new BelfryError("CONFIGURATION", `rateLimiter of redisTransport takes ${what}.`);
}
