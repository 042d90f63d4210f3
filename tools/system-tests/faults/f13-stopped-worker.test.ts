import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { type Arena, arena } from "./parts/arena.ts";
import { databasesOf, scaled } from "./parts/run.ts";

const BACKLOG = scaled(80, 1_500);
/** How long the stop takes at least; what is required below holds with any lease. It is the length that the other faults have. */
const LEASE_MS = 6_000;
/**
 * No attempt may run out of time. The first ones wait until the whole backlog is there and the other workers have started,
 * which takes a busy machine more than half a minute. An attempt that ran out of time is repeated, and the sink got it already.
 */
const ATTEMPT_MS = 900_000;
const WAIT = { timeout: 120_000, interval: 50 };

describe.each(databasesOf(13))("F13 %s: a worker is stopped past its leases, and goes on then", (kind) => {
  const cleanup = useCleanup();
  /** On SQLite, one process delivers: nobody takes over, and it may go on with what it has. */
  const workers = kind === "SQLite" ? 1 : 4;

  /** Who holds deliveries at this moment. */
  async function owners(one: Arena): Promise<readonly string[]> {
    const rows = await one.database.query("SELECT DISTINCT lease_owner FROM belfry_deliveries WHERE lease_owner IS NOT NULL");
    return rows.map(({ lease_owner }) => String(lease_owner));
  }

  /** The deliveries with an attempt that ended so: `unknown` is one that was taken back from a worker. */
  async function deliveriesWith(one: Arena, status: string): Promise<readonly string[]> {
    return (await one.database.attempts()).filter((attempt) => attempt.status === status).map(({ delivery }) => delivery);
  }

  test("what it reports late does not count where others took over, and no status is lost", async () => {
    const gate = Promise.withResolvers<void>();
    const hook = async () => {
      await gate.promise;
      return 204;
    };
    const one = await arena({ fault: "F13", kind, hook, victim: { attemptMs: ATTEMPT_MS, leaseMs: LEASE_MS, concurrency: 10 } }, cleanup);
    const stopped = await one.start();
    await one.creates.run(one.jobs(BACKLOG, ["webhook"]), 8);
    await expect.poll(() => one.hook.offered(), WAIT).toBeGreaterThan(0);
    // The others come later, so that it is known who holds what.
    const [owner = ""] = await owners(one);
    for (let started = 1; started < workers; started += 1) {
      await one.start();
    }
    const held = async () => {
      const rows = await one.database.query(`SELECT id FROM belfry_deliveries WHERE lease_owner = '${owner}'`);
      return rows.map(({ id }) => String(id));
    };
    stopped.child.kill("SIGSTOP");
    const inHand = await held();
    expect(inHand).not.toEqual([]);
    // From now on receivers answer, also the stopped process, which does not hear it.
    gate.resolve();
    if (kind === "PostgreSQL") {
      // Others take its deliveries over.
      await expect.poll(held, WAIT).toEqual([]);
    } else {
      await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 500));
    }
    stopped.child.kill("SIGCONT");
    const verdict = await one.expectSound();
    const late = () => stopped.output.split("had ended otherwise before its attempt did").length - 1;
    if (kind === "PostgreSQL") {
      await expect.poll(late, WAIT).toBeGreaterThan(0);
    }
    const lost = await deliveriesWith(one, "unknown");
    // A worker that runs may lose a lease on a busy machine, too. That is a reason for a repetition; a failure would be another one.
    expect(lost).toEqual(kind === "PostgreSQL" ? expect.arrayContaining(inHand) : []);
    expect(await deliveriesWith(one, "failed")).toEqual([]);
    expect(verdict.duplicates).toBeLessThanOrEqual(lost.length);
    one.note(verdict, { "in hand when stopped": inHand.length, "leases lost": lost.length, "late reports that did not count": late() });
  });
});
