import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { webhook } from "@belfry/channel-webhook";
import { NotificationService } from "@belfry/core";
import { type SqliteTransaction, sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { describe, expect, test } from "vitest";
import { webhookPeer } from "../../../examples/server/test/webhook-peer.ts";
import { InboxFollower } from "./inbox-follower.ts";
import { serveSockets } from "./serve-sockets.ts";
import {
  allTold,
  ignoreFailure,
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

/** Writes a trial's notifications inside the transaction. */
interface Batch {
  write(tx: SqliteTransaction): void;
}

/** The parts of a transaction of the host, the same for every library. */
interface Host {
  readonly connection: Database.Database;
  readonly tx: SqliteTransaction;
  run(text: string): void;
  savepoint(work: (inner: Host) => void): void;
}

interface Fate {
  readonly name: string;
  readonly outcome: Outcome;
  /** Finishes the transaction after the order is written. */
  finish(host: Host, batch: Batch): void;
}

function fail(): never {
  throw new TrialFailure("The payment was refused.");
}

function ignoring(work: () => void): void {
  try {
    work();
  } catch (error) {
    ignoreFailure(error);
  }
}

/** Runs a statement that SQLite refuses, as the mistake of a trial. */
function runRefused({ run }: Host): void {
  expect(() => run("INSERT INTO orders (number, customer) VALUES (0, 'a second time')")).toThrow();
  fail();
}

const FATES: readonly [Fate, ...Fate[]] = [
  { name: "commits", outcome: "both", finish: ({ tx }, batch) => batch.write(tx) },
  { name: "throws before the notification", outcome: "none", finish: () => fail() },
  {
    name: "throws after the notification",
    outcome: "none",
    finish({ tx }, batch) {
      batch.write(tx);
      fail();
    },
  },
  {
    name: "a statement after it fails",
    outcome: "none",
    finish(host, batch) {
      batch.write(host.tx);
      runRefused(host);
    },
  },
  {
    name: "a statement after it fails, and the host goes on",
    outcome: "both",
    finish(host, batch) {
      batch.write(host.tx);
      ignoring(() => runRefused(host));
    },
  },
  {
    name: "goes back to a savepoint before the notification",
    outcome: "order only",
    finish(host, batch) {
      ignoring(() =>
        host.savepoint(({ tx }) => {
          batch.write(tx);
          fail();
        }),
      );
    },
  },
  {
    name: "goes back to a savepoint, and then writes the notification",
    outcome: "both",
    finish(host, batch) {
      ignoring(() => host.savepoint(() => fail()));
      batch.write(host.tx);
    },
  },
  {
    name: "writes it after a savepoint that is kept",
    outcome: "both",
    finish: (host, batch) => host.savepoint(({ tx }) => batch.write(tx)),
  },
  {
    name: "the connection is closed",
    outcome: "none",
    finish({ connection, tx }, batch) {
      batch.write(tx);
      connection.close();
      fail();
    },
  },
];

type Transact = (connection: Database.Database, work: (host: Host) => void) => void;

const driverTransaction: Transact = (connection, work) => {
  const host: Host = {
    connection,
    tx: connection,
    run: (text) => void connection.prepare(text).run(),
    savepoint: (inner) => connection.transaction(() => inner(host))(),
  };
  connection.transaction(() => work(host)).immediate();
};

const drizzleTransaction: Transact = (connection, work) => {
  type Tx = Parameters<Parameters<ReturnType<typeof drizzle>["transaction"]>[0]>[0];
  const hostOn = (tx: Tx): Host => ({
    connection,
    tx,
    run: (text) => void tx.run(sql.raw(text)),
    savepoint: (inner) => tx.transaction((nested) => inner(hostOn(nested))),
  });
  drizzle(connection).transaction((tx) => work(hostOn(tx)), { behavior: "immediate" });
};

describe.each([
  ["better-sqlite3", driverTransaction],
  ["drizzle over better-sqlite3", drizzleTransaction],
])("transactions of a host that uses %s, with random failures", (_, transact) => {
  const cleanup = useCleanup();

  test("leave an order with its notification, told once, or nothing of it", { timeout: TRIALS_TIMEOUT_MS }, async () => {
    const directory = mkdtempSync(join(tmpdir(), "belfry-trials-"));
    cleanup(() => rmSync(directory, { recursive: true, force: true }));
    const path = join(directory, "app.db");
    const webhooks = await webhookPeer(() => 204);
    cleanup(() => webhooks.close());
    const channels = [webhook({ secret: WEBHOOK_SECRET, allowPrivate: true })];
    const notifications = new NotificationService({ storage: sqliteStorage(path), channels });
    cleanup(() => notifications.stop());
    await notifications.start();
    let connection = new Database(path);
    cleanup(() => connection.close());
    connection.exec("CREATE TABLE orders (number INTEGER PRIMARY KEY, customer TEXT NOT NULL); INSERT INTO orders VALUES (0, 'nobody')");
    const { event, sendEvent } = listen(notifications);
    const followers = USERS.map((user) => new InboxFollower(user));
    const url = await serveSockets(notifications, cleanup);
    cleanup(() => followers.map((follower) => follower.close()));
    await Promise.all(followers.map((follower) => follower.connect(url)));

    const trials = makeTrials(FATES);
    for (const trial of trials) {
      const { number, userId, fate } = trial;
      const inputs = trialInputs(trial, webhooks);
      const prepared = [await notifications.prepare(inputs.notification), await notifications.prepare(inputs.send)];
      const batch: Batch = { write: (tx) => prepared.map((one) => one.write(tx)) };
      ignoring(() =>
        transact(connection, (host) => {
          host.run(`INSERT INTO orders (number, customer) VALUES (${number}, '${userId}')`);
          fate.finish(host, batch);
        }),
      );
      if (!connection.open) {
        connection = new Database(path);
      }
    }
    await tellLast(notifications, followers);
    // SQLite does not report commits, so the service looks for them from time to time.
    await allTold(trials, event);
    await allTold(trials, sendEvent);

    const numbers = (text: string) => connection.prepare(text).pluck().all();
    await expect.poll(() => numbers("SELECT pk FROM belfry_deliveries WHERE settled_at IS NULL"), { timeout: 30_000 }).toEqual([]);
    const traces = new TrialTraces();
    traces.count("order", numbers("SELECT number FROM orders WHERE number > 0"));
    const order = "json_extract(n.data, '$.order')";
    traces.count("notification", numbers(`SELECT ${order} FROM belfry_notifications n WHERE n.kind = 'message' AND ${order} > 0`));
    const items = "belfry_inbox_items i JOIN belfry_notifications n ON n.pk = i.notification_pk";
    traces.count("item", numbers(`SELECT ${order} FROM ${items} WHERE ${order} > 0`));
    await traces.countListed(notifications);
    const deliveries = "belfry_deliveries d JOIN belfry_notifications n ON n.pk = d.notification_pk";
    traces.count("delivered", numbers(`SELECT n.message FROM ${deliveries} WHERE d.status = 'delivered'`));
    traces.count("received", ordersReceived(webhooks));
    traces.count("event", event);
    traces.count("sendEvent", sendEvent);
    traces.count("frame", ordersToldTo(followers));
    traces.expectOutcomes(trials, false);
  });
});
