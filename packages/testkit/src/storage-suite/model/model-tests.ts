import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Fixture, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { ContentCacheRun, cacheLook, cacheStep } from "./content-cache-run.ts";
import { countedListTests } from "./counted-list-tests.ts";
import { deliveryLook, deliveryOperation } from "./delivery-operations.ts";
import { DeliveryRun } from "./delivery-run.ts";
import { hubLook, hubOperation } from "./hub-operations.ts";
import { HubRun } from "./hub-run.ts";
import { look, operation } from "./inbox-operations.ts";
import { InboxRun } from "./inbox-run.ts";

const DEFAULT_OPERATIONS = 10_000;
const MAX_RUN_LENGTH = 160;
const TIMEOUT_MS = 15 * 60_000;
/** A step of the slowest model takes less than this. */
const STEP_TIMEOUT_MS = 60;

/** Does random operations of one domain to a storage and to the model of it. */
interface Run<Operation, Look> {
  start?(): Promise<void>;
  apply(operation: Operation): Promise<void>;
  /** Compares what is there; `look` says what of the many things that there are to compare. */
  check(look: Look): Promise<void>;
  /** Leaves nothing that the next run could meet, also after a failure. */
  end?(): Promise<void>;
}

/** The model of one domain. */
interface DomainModel<Operation, Look> {
  readonly title: string;
  readonly operation: fc.Arbitrary<Operation>;
  readonly look: fc.Arbitrary<Look>;
  run(fixture: Fixture, number: number): Run<Operation, Look>;
}

/**
 * Random operations on a storage and on a model of it, which have to agree after every one, or every few. `BELFRY_MODEL_OPS`
 * is how many operations each model makes at the least (if unset, what the harness says, else 10,000);
 * `BELFRY_MODEL_SEED` repeats a run whose seed a failure has printed.
 */
export function modelTests(harness: StorageHarness): void {
  describe("model", () => {
    countedListTests(harness);
    modelTest(harness, {
      title: "do to inboxes what they do to a plain list of items",
      ...{ operation, look },
      run: (fixture, number) => new InboxRun(fixture, number),
    });
    modelTest(harness, {
      title: "do to deliveries what they do to a plain list of them",
      ...{ operation: deliveryOperation, look: deliveryLook },
      run: (fixture, number) => new DeliveryRun(fixture, number),
    });
    modelTest(harness, {
      title: "do to handlers and records what they do to plain lists of them",
      ...{ operation: hubOperation, look: hubLook },
      run: (fixture, number) => new HubRun(fixture, number),
    });
    // A cache may be right again by the next step, so it is looked at after each.
    const { cacheSteps = harness.modelOperations ?? DEFAULT_OPERATIONS } = harness;
    const ofCache: StorageHarness = { ...harness, modelOperations: cacheSteps, modelCheckEvery: 1 };
    modelTest(ofCache, {
      title: "leave nothing in a content cache that the database does not say",
      ...{ operation: cacheStep, look: cacheLook },
      run: (fixture, number) => new ContentCacheRun(fixture, number),
    });
  });
}

function modelTest<Operation, Look>(harness: StorageHarness, model: DomainModel<Operation, Look>): void {
  const operations = numberFrom("BELFRY_MODEL_OPS") ?? harness.modelOperations ?? DEFAULT_OPERATIONS;
  const seed = numberFrom("BELFRY_MODEL_SEED");
  // A seed is given to find the operation after which something is wrong.
  const checkEvery = seed === undefined ? (harness.modelCheckEvery ?? 1) : 1;
  // A few operations in all are not to become a long run.
  const maxLength = Math.min(MAX_RUN_LENGTH, operations);
  const steps = fc.array(fc.tuple(model.operation, model.look), { minLength: 1, maxLength, size: "max" });

  describe("random", () => {
    const fixture = useFixture(harness);

    test(
      `any ${operations} operations ${model.title}`,
      async () => {
        let done = 0;
        let runs = 0;
        const property = fc.asyncProperty(steps, async (sequence) => {
          runs += 1;
          const run = model.run(fixture, runs);
          await run.start?.();
          try {
            for (const [index, [next, check]] of sequence.entries()) {
              await run.apply(next);
              if ((index + 1) % checkEvery === 0 || index + 1 === sequence.length) {
                await run.check(check);
              }
              done += 1;
            }
          } finally {
            await run.end?.();
          }
        });
        // A failure is made smaller only where its seed is given: on a database that takes many minutes.
        while (done < operations) {
          await fc.assert(property, { numRuns: 1, endOnFailure: seed === undefined, ...(seed === undefined || done > 0 ? {} : { seed }) });
        }
        expect(done).toBeGreaterThanOrEqual(operations);
      },
      Math.max(TIMEOUT_MS, operations * STEP_TIMEOUT_MS),
    );
  });
}

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
