import { describe, expect, test } from "vitest";
import type { CreateJob } from "../test/http-creates.ts";
import { useCleanup } from "../test/use-cleanup.ts";
import { type Arena, arena } from "./parts/arena.ts";
import { databasesOf, percentile, scaled } from "./parts/run.ts";

const NOISE = scaled(80, 2_000);
const QUIET = 5;

describe.each(databasesOf(16))("F16 %s: one tenant asks for hundreds of webhooks, another one for a few", (kind) => {
  const cleanup = useCleanup();

  /** Lets the noisy one's receivers answer only when the quiet one has got everything. */
  async function run(noise: number) {
    const gate = Promise.withResolvers<void>();
    const waits: number[] = [];
    const hook = async (path: string) => {
      const text = path.slice(1);
      if (isQuiet(text)) {
        waits.push(performance.now() - (one.issuedAt.get(text) ?? 0));
      } else {
        await gate.promise;
      }
      return 204;
    };
    const one: Arena = await arena({ fault: "F16", kind, hook, victim: { concurrency: 10, attemptMs: 60_000, leaseMs: 121_000 } }, cleanup);
    await one.start();
    await one.creates.run(one.jobs(noise, ["webhook"]), 8);
    for (let number = 1; number <= QUIET; number += 1) {
      const job: CreateJob = { userId: "", content: `F16-${kind}-webhook-x${number}` };
      await one.creates.run([job].values(), 1);
      await expect.poll(() => waits.length, { timeout: 50_000, interval: 5 }).toBe(number);
    }
    gate.resolve();
    return { verdict: await one.expectSound(), one, p99: percentile(waits, 0.99) };
  }

  const isQuiet = (text: string) => text.includes("-x");

  test("the few are delivered although the hundreds take all the turns they may", async () => {
    const alone = await run(0);
    const { verdict, one, p99 } = await run(NOISE);
    one.note(verdict, { "p99 of the quiet one": `${p99} ms, ${alone.p99} ms alone` });
  });
});
