import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { look, operation } from "./inbox-operations.ts";
import { InboxRun } from "./inbox-run.ts";

const DEFAULT_OPERATIONS = 10_000;
const MAX_RUN_LENGTH = 160;
const RUNS_AT_ONCE = 20;
const TIMEOUT_MS = 15 * 60_000;

function numberFrom(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === "") {
    return undefined;
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new Error(`${name} has to be a whole number and is ${JSON.stringify(text)}.`);
  }
  return value;
}

/**
 * Random operations on a storage and on a model of it, which have to agree after every single one. `BELFRY_MODEL_OPS`
 * is how many operations there are at the least (if unset, what the harness says, else 10,000); `BELFRY_MODEL_SEED` repeats a run whose seed a
 * failure has printed.
 */
export function modelTests(harness: StorageHarness): void {
  describe("model", () => {
    const fixture = useFixture(harness);
    const operations = numberFrom("BELFRY_MODEL_OPS") ?? harness.modelOperations ?? DEFAULT_OPERATIONS;
    const seed = numberFrom("BELFRY_MODEL_SEED");
    const steps = fc.array(fc.tuple(operation, look), { minLength: 1, maxLength: MAX_RUN_LENGTH, size: "max" });

    test(
      `any ${operations} operations do what they do to a plain list of items`,
      async () => {
        let done = 0;
        let runs = 0;
        const property = fc.asyncProperty(steps, async (sequence) => {
          runs += 1;
          const run = new InboxRun(fixture, runs);
          await run.start();
          for (const [next, check] of sequence) {
            await run.apply(next);
            await run.check(check);
            done += 1;
          }
        });
        while (done < operations) {
          await fc.assert(property, { numRuns: RUNS_AT_ONCE, ...(seed === undefined || done > 0 ? {} : { seed }) });
        }
        expect(done).toBeGreaterThanOrEqual(operations);
      },
      TIMEOUT_MS,
    );
  });
}
