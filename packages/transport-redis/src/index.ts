export type { RedisLimit } from "./rate-limiter.ts";
export type { RedisTransportOptions } from "./redis-options.ts";
export type { RedisSource } from "./redis-source.ts";
export { type RedisTransport, redisTransport } from "./redis-transport.ts";
