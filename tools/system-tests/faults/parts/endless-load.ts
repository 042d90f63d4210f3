import { expect } from "vitest";
import type { CreateJob } from "../../test/http-creates.ts";
import type { Arena } from "./arena.ts";

/** Lets clients ask without end. The returned function ends that, and resolves once everything they asked for is accepted. */
export function endlessLoad(one: Arena, inFlight: number): () => Promise<void> {
  let isOver = false;
  function* jobs(): Generator<CreateJob> {
    for (const job of one.jobs(1_000_000)) {
      if (isOver) {
        return;
      }
      yield job;
    }
  }
  const done = one.creates.run(jobs(), inFlight);
  return () => {
    isOver = true;
    return done;
  };
}

/** Resolves once `count` more were accepted. */
export async function progress({ creates }: Arena, count: number): Promise<void> {
  const before = creates.acknowledged.size;
  await expect.poll(() => creates.acknowledged.size - before, { timeout: 120_000, interval: 20 }).toBeGreaterThanOrEqual(count);
}
