export { hasRedis, type RedisOptions, type RedisServer, startRedis } from "./start-redis.ts";
export { type RedisCluster, startRedisCluster } from "./start-redis-cluster.ts";
export { type RedisSentinel, startRedisSentinel } from "./start-redis-sentinel.ts";
