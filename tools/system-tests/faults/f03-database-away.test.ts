import { startPostgres } from "@belfry/postgres-launcher";
import Database from "better-sqlite3";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { type Arena, arena } from "./parts/arena.ts";
import { endlessLoad, progress } from "./parts/endless-load.ts";
import { databasesOf, scaled } from "./parts/run.ts";

const TERMINATIONS = scaled(10, 150);
const RESTARTS = scaled(1, 4);
const AWAY_MS = scaled(1_500, 10_000);
const IN_FLIGHT = 4;
const POOL = 10;
/** How many webhooks are under way when the database goes away. */
const ARRIVING = 10;
/** What a process says when it gives up recording the end of an attempt. */
const UNRECORDED = /could not record how one of the deliveries ended/g;

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ends the load, and checks that nobody ended, that failures said to try again, and that nothing is lost. */
async function expectRecovered(one: Arena, stop: () => Promise<void>): Promise<void> {
  const endedAt = performance.now();
  await stop();
  expect(one.victims.filter(({ isAlive }) => !isAlive)).toEqual([]);
  expect([...one.creates.answers.keys()].filter((answer) => answer !== 201 && answer !== 503)).toEqual([]);
  const verdict = await one.expectSound();
  const answers = [...one.creates.answers].map(([answer, count]) => `${answer} ×${count}`).join(" ");
  one.note(verdict, { answers, "backlog gone after": `${Math.round(performance.now() - endedAt)} ms` });
}

describe.runIf(databasesOf(3).includes("PostgreSQL"))(
  "F3 PostgreSQL: connections are ended, the server crashes, and no connection is left to be had",
  () => {
    const cleanup = useCleanup();

    async function terminateAll(url: string): Promise<void> {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
      );
      await client.end();
    }

    /** Takes every connection that the server still gives, and gives them back after a while. */
    async function exhaust(url: string): Promise<number> {
      const taken: pg.Client[] = [];
      for (;;) {
        const client = new pg.Client({ connectionString: url });
        client.on("error", () => {});
        try {
          await client.connect();
          taken.push(client);
        } catch {
          break;
        }
      }
      await terminateOthers(taken[0]);
      await delay(AWAY_MS);
      await Promise.all(taken.map((client) => client.end()));
      return taken.length;
    }

    /** Ends the connections of others, whose places are taken before they connect again. */
    async function terminateOthers(client: pg.Client | undefined): Promise<void> {
      await client?.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'belfry%'");
    }

    test("no process ends, failures say to try again, and nothing accepted is lost", async () => {
      const server = await startPostgres({ settings: { max_connections: "40" } });
      cleanup(() => server.stop());
      const one = await arena({ fault: "F3", kind: "PostgreSQL", url: server.url, users: 3 }, cleanup);
      await one.start();
      await one.start();
      await one.follow();
      const stop = endlessLoad(one, IN_FLIGHT);
      await progress(one, 20);
      for (let round = 0; round < TERMINATIONS; round += 1) {
        await Promise.all([delay(200), terminateAll(server.url)]);
      }
      await progress(one, 20);
      for (let round = 0; round < RESTARTS; round += 1) {
        await server.shutDown("immediate");
        await server.startAgain();
        await progress(one, 20);
      }
      expect(await exhaust(server.url)).toBeGreaterThan(POOL);
      await progress(one, 20);
      await expectRecovered(one, stop);
    });

    test("after more than a lease without the database, what had arrived comes again by a counted attempt alone", async () => {
      const server = await startPostgres();
      cleanup(() => server.stop());
      const answered = Promise.withResolvers<204>();
      const options = { victim: { attemptMs: 30_000 }, hook: () => answered.promise };
      const one = await arena({ fault: "F3", kind: "PostgreSQL", url: server.url, ...options }, cleanup);
      const victim = await one.start();
      await one.creates.run(one.jobs(ARRIVING, ["webhook"]), IN_FLIGHT);
      await expect.poll(() => one.hook.offered(), { timeout: 60_000 }).toBe(ARRIVING);
      await server.shutDown("immediate");
      answered.resolve(204);
      // Each is tried for as long as its lease lasts.
      await expect.poll(() => victim.output.match(UNRECORDED)?.length, { timeout: 60_000 }).toBe(ARRIVING);
      await server.startAgain();
      const verdict = await one.expectSound();
      expect(verdict.duplicates).toBe(ARRIVING);
      one.note(verdict, { unrecorded: ARRIVING });
    });
  },
);

describe.runIf(databasesOf(3).includes("SQLite"))(
  "F3 SQLite: another process holds the file's only write lock for longer than anybody waits",
  () => {
    const cleanup = useCleanup();

    test("the process does not end, failures say to try again, and nothing accepted is lost", async () => {
      const one = await arena({ fault: "F3", kind: "SQLite", users: 3 }, cleanup);
      await one.start();
      await one.follow();
      const stop = endlessLoad(one, IN_FLIGHT);
      await progress(one, 20);
      const other = new Database(one.url.slice("sqlite:".length));
      cleanup(() => other.close());
      for (let round = 0; round < RESTARTS; round += 1) {
        await expect.poll(() => attempted(() => other.exec("BEGIN IMMEDIATE")), { timeout: 30_000 }).toBe(true);
        const refusals = one.creates.answers.get(503) ?? 0;
        await expect.poll(() => one.creates.answers.get(503) ?? 0, { timeout: 60_000 }).toBeGreaterThan(refusals);
        other.exec("COMMIT");
        await progress(one, 20);
      }
      await expectRecovered(one, stop);
    });
  },
);

/** Whether it worked; SQLite gives no lock while somebody writes. */
function attempted(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
