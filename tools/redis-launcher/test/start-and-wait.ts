import { startRedis } from "@belfry/redis-launcher";

const { url } = await startRedis();
console.log(url);
setInterval(() => {}, 60_000);
