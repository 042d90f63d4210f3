import { BelfryError, NotificationService } from "@belfry/core";
import { type PostgresServer, startPostgres } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { startServer } from "../../../examples/server/test/run-server.ts";
import { type WebhookPeer, webhookPeer } from "../../../examples/server/test/webhook-peer.ts";
import { API_KEY, type CreateJob, HttpCreates, postToPack, postWebhook } from "./http-creates.ts";
import { InboxFollower, JWT_SECRET, keepFollowing } from "./inbox-follower.ts";
import { openPool } from "./test-database.ts";
import { expectLedger, expectToldOnce } from "./told-once.ts";
import { ordersReceived } from "./transaction-trials.ts";
import { useCleanup } from "./use-cleanup.ts";

const SERVERS = 2;
const USERS = 10;
const SOCKETS = 20;
const IN_FLIGHT = 8;
const SENDS_IN_FLIGHT = 4;
/** Five times a second, for three seconds or for a minute. */
const TERMINATIONS = process.env.BELFRY_LONG ? 300 : 15;
const TERMINATION_INTERVAL_MS = 200;
const RESTARTS = process.env.BELFRY_LONG ? 10 : 1;
const TIMEOUT_MS = process.env.BELFRY_LONG ? 900_000 : 240_000;
const RETRY_MS = 50;
/** Too many users for one transaction: their inboxes are filled in the background. */
const CROWD = Array.from({ length: 3_000 }, (_, number) => `one of the crowd ${number}`);

/** These tests lose and rebuild connections all the time, which is not worth a log line. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets clients create without end, until they are stopped. */
function endlessLoad(creates: HttpCreates, inFlight: number): { stop(): Promise<void> } {
  let isOver = false;
  function* jobs(): Generator<CreateJob> {
    for (let number = 0; !isOver; number += 1) {
      yield { userId: `user ${number % USERS}`, content: `number ${number}` };
    }
  }
  const done = creates.run(jobs(), inFlight);
  return {
    stop() {
      isOver = true;
      return done;
    },
  };
}

describe("a database that loses its connections, and goes down, under load", () => {
  const cleanup = useCleanup();

  async function start() {
    const database = await startPostgres();
    cleanup(() => database.stop());
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    const notifications = new NotificationService({ storage: postgresStorage(pool, { logger: silent }), logger: silent });
    cleanup(() => notifications.stop());
    await notifications.start();
    const env = { DATABASE_URL: database.url, JWT_SECRET, API_KEYS: `${API_KEY}=default`, WEBHOOK_ALLOW_PRIVATE: "1" };
    const servers = await Promise.all(Array.from({ length: SERVERS }, () => startServer(env)));
    cleanup(() => Promise.all(servers.map((server) => (server.child.exitCode === null ? server.stop() : null))));
    const died = Promise.race(
      servers.map(async ({ exited, output }) => {
        throw new Error(`A server ended with ${await exited}: ${output()}`);
      }),
    );
    // In the end, all of them do.
    died.catch(() => undefined);
    const webhooks = await webhookPeer(() => 204);
    cleanup(() => webhooks.close());
    const urls = () => servers.map(({ url }) => url);
    const creates = new HttpCreates(urls, postToPack);
    const sends = new HttpCreates(urls, postWebhook(webhooks.url));
    const followers = Array.from({ length: SOCKETS }, (_, socket) => new InboxFollower(`user ${socket % USERS}`));
    const stops = followers.map((follower, socket) => keepFollowing(follower, () => servers[socket % SERVERS]?.url ?? ""));
    cleanup(() => stops.map((stop) => stop()));
    return { database, pool, notifications, servers, died, creates, sends, webhooks, followers };
  }

  /** Creates until it works, as a host does, and records the errors before that. */
  async function createUntilDone(notifications: NotificationService, to: string | readonly string[], errors: unknown[]): Promise<void> {
    for (;;) {
      try {
        await notifications.create({ to, title: "by the host" });
        return;
      } catch (error) {
        errors.push(error);
        await delay(RETRY_MS);
      }
    }
  }

  async function terminateAll(url: string): Promise<void> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );
    await client.end();
  }

  /** Shuts the database down, checks the errors that callers get, and starts it again. */
  async function restart(database: PostgresServer, notifications: NotificationService, url: string): Promise<void> {
    await database.shutDown("immediate");
    const refused = await notifications.create({ to: "user 0", title: "while it is away" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BelfryError);
    expect(refused).toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true });
    const answer = await fetch(`${url}/api/notifications/unread-count/user_0`);
    expect([answer.status, answer.headers.get("retry-after"), await answer.json()]).toEqual([503, "1", { detail: "Service Unavailable" }]);
    await database.startAgain();
  }

  /** Checks that the background work wrote to each recipient once. */
  async function expectCrowdsFilled(pool: pg.Pool, atLeast: number): Promise<void> {
    const chunks = async () => (await pool.query("SELECT FROM belfry_fan_out_parts")).rowCount;
    await expect.poll(chunks, { timeout: 60_000 }).toBe(0);
    const { rows } = await pool.query(
      `SELECT (SELECT count(*)::int FROM belfry_inbox_items i WHERE i.notification_pk = n.pk) AS items
      FROM belfry_notifications n WHERE title = 'by the host'`,
    );
    expect(rows.length).toBeGreaterThanOrEqual(atLeast);
    expect(rows).toEqual(rows.map(() => ({ items: CROWD.length })));
  }

  /** Checks that a send which was tried again with its key exists once, and that accepted sends are delivered. */
  async function expectDelivered(pool: pg.Pool, sends: HttpCreates, webhooks: WebhookPeer): Promise<void> {
    const unsettled = async () => {
      const { rows } = await pool.query(
        `SELECT d.id, d.status, d.attempt, d.fence, d.due_at, d.lease_owner, d.lease_until, now(),
          (SELECT json_agg(a ORDER BY a.attempt) FROM belfry_delivery_attempts a WHERE a.delivery_pk = d.pk) AS attempts
        FROM belfry_deliveries d WHERE d.settled_at IS NULL LIMIT 10`,
      );
      return rows;
    };
    // What was claimed as its connection went waits until its lease has run out, a minute.
    await expect.poll(unsettled, { timeout: 120_000 }).toEqual([]);
    const sent = await pool.query<{ message: string; status: string }>(
      "SELECT n.message, d.status FROM belfry_notifications n JOIN belfry_deliveries d ON d.notification_pk = n.pk",
    );
    expect(sent.rows.map(({ message }) => message).sort()).toEqual([...sends.acknowledged].sort());
    expect(sent.rows.filter(({ status }) => status !== "delivered")).toEqual([]);
    expect(new Set(ordersReceived(webhooks))).toEqual(sends.acknowledged);
  }

  /** Loses connections and the database under load, and checks the result. */
  async function ordeal(setting: Awaited<ReturnType<typeof start>>): Promise<void> {
    const { database, pool, notifications, servers, creates, sends, webhooks, followers } = setting;
    const loads = [endlessLoad(creates, IN_FLIGHT), endlessLoad(sends, SENDS_IN_FLIGHT)];
    const errors: unknown[] = [];
    /** Resolves once `count` more creates were acknowledged. */
    const progress = async (count: number) => {
      const before = creates.acknowledged.size;
      await expect.poll(() => creates.acknowledged.size - before, { timeout: TIMEOUT_MS }).toBeGreaterThanOrEqual(count);
    };
    await progress(100);
    const crowds = [createUntilDone(notifications, CROWD, errors)];
    for (let round = 0; round < TERMINATIONS; round += 1) {
      await Promise.all([delay(TERMINATION_INTERVAL_MS), progress(1), terminateAll(database.url)]);
    }
    for (let round = 0; round < RESTARTS; round += 1) {
      crowds.push(createUntilDone(notifications, CROWD, errors));
      await restart(database, notifications, servers[0]?.url ?? "");
      await progress(100);
    }
    await Promise.all(loads.map((load) => load.stop()));
    await Promise.all(crowds);
    await expectToldOnce(pool, creates, followers);
    await expectLedger(pool, creates);
    await expectCrowdsFilled(pool, crowds.length);
    await expectDelivered(pool, sends, webhooks);
    // All failed calls said to try again.
    expect([...creates.answers.keys()].sort()).toEqual([200, 503]);
    expect([...sends.answers.keys()].sort()).toEqual([201, 503]);
    expect(errors.filter((error) => !(error instanceof BelfryError && error.retryable))).toEqual([]);
  }

  const title = "costs nothing that was accepted; clients that try again get through, sockets catch up, and the backlog drains";
  test(title, { timeout: TIMEOUT_MS }, async () => {
    const setting = await start();
    const { database, servers, died } = setting;
    await Promise.race([ordeal(setting), died]);
    // The logs name the lost connections, and contain no credentials.
    const logs = servers.map(({ output }) => output()).join();
    expect(logs).toContain("Belfry lost its listening connection");
    expect(logs).toContain("PostgreSQL closed an idle connection");
    expect(logs).not.toMatch(new RegExp(`secretKey|${new URL(database.url).password}`));
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual(servers.map(() => 0));
  });
});
