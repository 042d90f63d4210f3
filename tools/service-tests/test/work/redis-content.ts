import type { Redis } from "ioredis";

/** All that a Redis holds, as text. */
export async function contentOf(redis: Redis): Promise<string> {
  const keys = await redis.keys("*");
  const values = await Promise.all(keys.map(async (key) => [key, await readKey(redis, key)]));
  return JSON.stringify(values);
}

async function readKey(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case "hash":
      return redis.hgetall(key);
    case "list":
      return redis.lrange(key, 0, -1);
    case "set":
      return redis.smembers(key);
    case "zset":
      return redis.zrange(key, "0", "-1");
    case "stream":
      return redis.xrange(key, "-", "+");
    case "none":
      // It has expired meanwhile.
      return null;
    case "string":
      return redis.get(key);
    default:
      throw new Error(`A key of Redis has the type ${type}, which is not looked into.`);
  }
}
