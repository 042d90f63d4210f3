import { writeCosts } from "@belfry/fleet-model";
import { type RedisServer, startRedis } from "@belfry/redis-launcher";
import { type CheckedLoad, checkModel } from "./check-model.ts";
import { type ModelLoad, measureCosts } from "./measure-costs.ts";

/** Measures the costs that the model of a fleet goes by, and checks what it predicts of other fleets: both, or the parts that are named. */
export async function measureModel(names: readonly string[], load: CheckedLoad, print: (lines: readonly string[]) => void): Promise<void> {
  const redis = await startRedis();
  try {
    if (names.length === 0 || names.includes("costs")) {
      print(await measureAndWrite(load, redis));
    }
    if (names.length === 0 || names.includes("check")) {
      await checkModel(load, redis, print);
    }
  } finally {
    await redis.stop();
  }
}

async function measureAndWrite(load: ModelLoad, redis: RedisServer): Promise<readonly string[]> {
  await writeCosts(await measureCosts(load, redis));
  return ["The costs are written. `pnpm model` prints them, and what fleets need by them."];
}
