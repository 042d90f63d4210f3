import { webhook } from "@belfry/channel-webhook";
import { NotificationService } from "@belfry/core";
import { type PostgresTransaction, postgresStorage } from "@belfry/storage-postgres";
import { drizzle } from "drizzle-orm/node-postgres";
import type { Client, Pool, PoolClient } from "pg";
import { describe, expect, test } from "vitest";
import { startServer } from "../../../examples/server/test/run-server.ts";
import { webhookPeer } from "../../../examples/server/test/webhook-peer.ts";
import { InboxFollower, JWT_SECRET } from "./inbox-follower.ts";
import { queryOf, wrongCounts } from "./recount.ts";
import { serveSockets } from "./serve-sockets.ts";
import { openPool, testDatabase } from "./test-database.ts";
import {
  allTold,
  listen,
  makeTrials,
  type Outcome,
  ordersReceived,
  ordersToldTo,
  TRIALS_TIMEOUT_MS,
  TrialFailure,
  TrialTraces,
  tellLast,
  trialInputs,
  USERS,
  WEBHOOK_SECRET,
} from "./transaction-trials.ts";
import { useCleanup } from "./use-cleanup.ts";

/** How many transactions are open at once. */
const CONCURRENCY = 8;

/** The parts of a transaction of the host, the same for every library. */
interface Host {
  readonly client: Client | PoolClient;
  readonly tx: PostgresTransaction;
  run(text: string): Promise<unknown>;
  savepoint(work: (inner: Host) => Promise<void>): Promise<void>;
}

interface Fate {
  readonly name: string;
  readonly outcome: Outcome;
  /** Finishes the transaction after the order is written; `notify` writes the notification. */
  finish(host: Host, notify: (tx: PostgresTransaction) => Promise<void>, admin: Pool): Promise<void>;
}

async function fail(): Promise<never> {
  throw new TrialFailure("The payment was refused.");
}

async function terminate({ run }: Host, admin: Pool): Promise<void> {
  const answer = (await run("SELECT pg_backend_pid() AS pid")) as { readonly rows: readonly { readonly pid: number }[] };
  await admin.query("SELECT pg_terminate_backend($1)", [answer.rows[0]?.pid]);
}

function destroySocket({ client }: Host): void {
  const { connection } = client as unknown as { readonly connection: { readonly stream: { destroy(): void } } };
  connection.stream.destroy();
}

const TWICE = "INSERT INTO orders (number, customer) VALUES (0, 'a second time')";

const FATES: readonly [Fate, ...Fate[]] = [
  {
    name: "commits",
    outcome: "both",
    async finish({ tx }, notify) {
      await notify(tx);
    },
  },
  { name: "throws before the notification", outcome: "none", finish: fail },
  {
    name: "throws after the notification",
    outcome: "none",
    async finish({ tx }, notify) {
      await notify(tx);
      await fail();
    },
  },
  {
    name: "a statement before it fails, and the host tries to go on",
    outcome: "none",
    async finish({ run, tx }, notify) {
      await run(TWICE).catch(() => undefined);
      await notify(tx);
    },
  },
  {
    name: "a statement after it fails",
    outcome: "none",
    async finish({ run, tx }, notify) {
      await notify(tx);
      await run(TWICE);
    },
  },
  {
    name: "a statement after it fails, and the host commits what is no transaction any longer",
    outcome: "none",
    async finish({ run, tx }, notify) {
      await notify(tx);
      await run(TWICE).catch(() => undefined);
    },
  },
  {
    name: "goes back to a savepoint before the notification",
    outcome: "order only",
    async finish({ savepoint }, notify) {
      await savepoint(async ({ tx }) => {
        await notify(tx);
        await fail();
      }).catch(() => undefined);
    },
  },
  {
    name: "goes back to a savepoint, and then writes the notification",
    outcome: "both",
    async finish({ savepoint, tx }, notify) {
      await savepoint(fail).catch(() => undefined);
      await notify(tx);
    },
  },
  {
    name: "writes it after a savepoint that is kept",
    outcome: "both",
    finish: ({ savepoint }, notify) => savepoint(({ tx }) => notify(tx)),
  },
  {
    name: "the server ends the session",
    outcome: "none",
    async finish(host, notify, admin) {
      await notify(host.tx);
      await terminate(host, admin);
      await host.run("SELECT 1");
    },
  },
  {
    name: "the connection breaks",
    outcome: "none",
    async finish(host, notify) {
      await notify(host.tx);
      destroySocket(host);
      await host.run("SELECT 1");
    },
  },
  {
    name: "the connection breaks while the notification is written",
    outcome: "none",
    async finish(host, notify) {
      const written = notify(host.tx);
      setImmediate(() => destroySocket(host));
      await written;
      await host.run("SELECT 1");
    },
  },
  {
    name: "the session is ended during the commit",
    outcome: "both or none",
    async finish(host, notify, admin) {
      await notify(host.tx);
      const ended = terminate(host, admin);
      ended.catch(() => undefined);
    },
  },
  {
    name: "the connection breaks during the commit",
    outcome: "both or none",
    async finish(host, notify) {
      await notify(host.tx);
      setImmediate(() => destroySocket(host));
    },
  },
];

function hostPool(url: string): Pool {
  const pool = openPool(url, { max: CONCURRENCY });
  // A lost connection also emits an error while in use; its user learns of the loss from the next statement.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** Works on a pool of its own, so that no other trial gets a connection that breaks after the commit. */
async function withOwnPool(url: string, work: (pool: Pool) => Promise<void>): Promise<void> {
  const pool = hostPool(url);
  await work(pool).finally(() => pool.end());
}

type Transact = (pool: Pool, work: (host: Host) => Promise<void>) => Promise<void>;

async function driverTransaction(pool: Pool, work: (host: Host) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  const host: Host = {
    client,
    tx: client,
    run: (text) => client.query(text),
    async savepoint(inner) {
      await client.query("SAVEPOINT here");
      try {
        await inner(host);
        await client.query("RELEASE SAVEPOINT here");
      } catch (error) {
        await client.query("ROLLBACK TO SAVEPOINT here");
        throw error;
      }
    },
  };
  try {
    await client.query("BEGIN");
    await work(host);
    await client.query("COMMIT");
    client.release();
  } catch (error) {
    const isLost = await client.query("ROLLBACK").then(
      () => false,
      () => true,
    );
    client.release(isLost);
    throw error;
  }
}

async function drizzleTransaction(pool: Pool, work: (host: Host) => Promise<void>): Promise<void> {
  type Tx = Parameters<Parameters<ReturnType<typeof drizzle>["transaction"]>[0]>[0];
  const hostOn = (tx: Tx): Host => ({
    client: (tx as unknown as { readonly session: { readonly client: PoolClient } }).session.client,
    tx,
    run: (text) => tx.execute(text),
    savepoint: (inner) => tx.transaction((nested) => inner(hostOn(nested))),
  });
  await drizzle(pool).transaction((tx) => work(hostOn(tx)));
}

const LIBRARIES: readonly [string, Transact][] = [
  ["pg", driverTransaction],
  ["drizzle over pg", drizzleTransaction],
];

describe.each(LIBRARIES)("transactions of a host that uses %s, with random failures", (_, transact) => {
  const cleanup = useCleanup();

  async function start() {
    const { url, pool: admin } = await testDatabase(cleanup);
    const pool = hostPool(url);
    cleanup(() => pool.end());
    await admin.query("CREATE TABLE orders (number integer PRIMARY KEY, customer text NOT NULL)");
    await admin.query("INSERT INTO orders VALUES (0, 'nobody')");
    const webhooks = await webhookPeer(() => 204);
    cleanup(() => webhooks.close());
    const channels = [webhook({ secret: WEBHOOK_SECRET, allowPrivate: true })];
    const notifications = new NotificationService({ storage: postgresStorage(admin), channels });
    cleanup(() => notifications.stop());
    await notifications.start();
    const elsewhere = await startServer({ DATABASE_URL: url, JWT_SECRET, WEBHOOK_SECRET, WEBHOOK_ALLOW_PRIVATE: "1" });
    cleanup(() => elsewhere.stop());
    const here = await serveSockets(notifications, cleanup);
    const follow = async (server: string) => {
      const followers = USERS.map((user) => new InboxFollower(user));
      cleanup(() => followers.map((follower) => follower.close()));
      await Promise.all(followers.map((follower) => follower.connect(server)));
      return followers;
    };
    return { url, admin, pool, notifications, webhooks, here: await follow(here), elsewhere: await follow(elsewhere.url) };
  }

  test("leave an order with its notification, told once, or nothing of it", { timeout: TRIALS_TIMEOUT_MS }, async () => {
    const { url, admin, pool, notifications, webhooks, here, elsewhere } = await start();
    const { event, sendEvent } = listen(notifications);
    const trials = makeTrials(FATES);
    const left = [...trials];
    const work = async () => {
      for (let trial = left.shift(); trial !== undefined; trial = left.shift()) {
        const { number, userId, fate } = trial;
        const inputs = trialInputs(trial, webhooks);
        const notify = async (tx: PostgresTransaction) => {
          await notifications.create(inputs.notification, { tx });
          await notifications.create(inputs.send, { tx });
        };
        const order = (on: Pool) =>
          transact(on, async (host) => {
            await host.run(`INSERT INTO orders (number, customer) VALUES (${number}, '${userId}')`);
            await fate.finish(host, notify, admin);
          });
        // The test checks at its end what a failure left.
        await (fate.outcome === "both or none" ? withOwnPool(url, order) : order(pool)).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    await tellLast(notifications, [...here, ...elsewhere]);
    // After a savepoint, the creating process first asks the database whether the notification was committed.
    await allTold(trials, event);
    await allTold(trials, sendEvent);
    const unsettled = async () => (await admin.query("SELECT FROM belfry_deliveries WHERE settled_at IS NULL")).rowCount;
    await expect.poll(unsettled, { timeout: 30_000 }).toBe(0);

    const numbers = async (text: string) => (await admin.query<{ number: number }>(text)).rows.map(({ number }) => number);
    const traces = new TrialTraces();
    traces.count("order", await numbers("SELECT number FROM orders WHERE number > 0"));
    const order = "(n.data->>'order')::int";
    traces.count(
      "notification",
      await numbers(`SELECT ${order} AS number FROM belfry_notifications n WHERE n.kind = 'message' AND ${order} > 0`),
    );
    const items = "belfry_inbox_items i JOIN belfry_notifications n ON n.pk = i.notification_pk";
    traces.count("item", await numbers(`SELECT ${order} AS number FROM ${items} WHERE ${order} > 0`));
    await traces.countListed(notifications);
    const deliveries = "belfry_deliveries d JOIN belfry_notifications n ON n.pk = d.notification_pk";
    traces.count("delivered", await numbers(`SELECT n.message::int AS number FROM ${deliveries} WHERE d.status = 'delivered'`));
    traces.count("received", ordersReceived(webhooks));
    traces.count("event", event);
    traces.count("sendEvent", sendEvent);
    traces.count("frame", ordersToldTo(here));
    traces.count("frameElsewhere", ordersToldTo(elsewhere));
    traces.expectOutcomes(trials, true);
    expect(await wrongCounts(queryOf(admin))).toEqual([]);
  });
});
