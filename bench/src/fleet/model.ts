import { readCosts, writeCosts } from "@belfry/fleet-model";
import { type RedisServer, startRedis } from "@belfry/redis-launcher";
import { checkModel } from "./check-model.ts";
import { measureCosts } from "./measure-costs.ts";

/** Measures the costs that the model of a fleet goes by, and checks what it predicts of other fleets: both, or the parts that are named. */
export async function measureModel(names: readonly string[], print: (lines: readonly string[]) => void): Promise<void> {
  const redis = await startRedis();
  try {
    if (names.length === 0 || names.includes("costs")) {
      print(await measureAndWrite(redis));
    }
    if (names.length === 0 || names.includes("check")) {
      await checkModel(await readCosts(), redis, print);
    }
  } finally {
    await redis.stop();
  }
}

async function measureAndWrite(redis: RedisServer): Promise<readonly string[]> {
  await writeCosts(await measureCosts(redis));
  return ["The costs are written. `pnpm model` prints them, and what fleets need by them."];
}
