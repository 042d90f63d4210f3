import { BelfryError, NotificationService } from "@belfry/core";
import type { Migration } from "@belfry/core/storage";
import { recorder } from "@belfry/testkit/host";
import { expect, test } from "vitest";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateLater } from "../src/migrations/migrate.ts";
import { PostgresStorage } from "../src/postgres-storage.ts";
import { openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

/** The migrations of a version to come: columns and tables that this one does not know, rows to move, an index, and something to take away. */
const NEXT: readonly Migration[] = [
  ...MIGRATIONS,
  {
    phase: "expand",
    sql: `CREATE TABLE belfry_colours (pk bigint PRIMARY KEY);
      ALTER TABLE belfry_notifications ADD COLUMN colour text, ADD COLUMN shade integer NOT NULL DEFAULT 1;
      ALTER TABLE belfry_inbox_items ADD COLUMN colour text;
      ALTER TABLE belfry_inbox_counters ADD COLUMN colour text;
      ALTER TABLE belfry_deliveries ADD COLUMN colour text NOT NULL DEFAULT 'red';`,
  },
  {
    phase: "background",
    sql: `UPDATE belfry_notifications SET colour = 'blue'
      WHERE pk IN (SELECT pk FROM belfry_notifications WHERE colour IS NULL LIMIT 20 FOR UPDATE SKIP LOCKED)`,
  },
  {
    phase: "outside",
    statements: [
      "DROP INDEX CONCURRENTLY IF EXISTS belfry_deliveries_colour",
      "CREATE INDEX CONCURRENTLY belfry_deliveries_colour ON belfry_deliveries (colour)",
    ],
  },
  { phase: "cleanup", sql: "ALTER TABLE belfry_notifications DROP COLUMN shade", oldestCompatible: MIGRATIONS.length + 1 },
];

const database = useDatabase();
const cleanup = useCleanup();

/** A process of a version: one that knows these migrations. */
function processOf(migrations: readonly Migration[]) {
  const pool = openPool(database.url);
  const mails = recorder({ name: "email" });
  const storage = new PostgresStorage(pool, { logger: silent }, migrations);
  const notifications = new NotificationService({ storage, channels: [mails], logger: silent });
  const end = async () => {
    await notifications.stop();
    await pool.end();
  };
  return { notifications, mails, pool, end };
}

test("a newer version migrates and starts while the older one works: nothing is lost, and nothing comes twice", {
  timeout: 180_000,
}, async () => {
  const old = processOf(MIGRATIONS);
  await old.notifications.start();
  let serving = [old.notifications];
  let isLoaded = true;
  const accepted: string[] = [];
  const failures: unknown[] = [];
  /** The round that each user's load is in. */
  const rounds = new Map<string, number>();

  /** Creates, at each of the processes that serve, and marks what came before. */
  async function load(user: string): Promise<void> {
    for (let number = 0; isLoaded; number += 1) {
      rounds.set(user, number);
      const service = serving[number % serving.length] as NotificationService;
      const name = `${user}-${number}@example.com`;
      try {
        await service.create({ to: [user, { email: name }], title: name });
        accepted.push(name);
        await service.inbox(user).markRead({ seq: number + 1 });
        // Leaves the processor to others.
        await new Promise((resolve) => setTimeout(resolve, 10));
      } catch (error) {
        failures.push(error);
      }
    }
  }
  const users = ["ann", "bob"];
  const loads = users.map(load);
  const more = async () => {
    const before = accepted.length;
    await expect.poll(() => accepted.length, { timeout: 20_000 }).toBeGreaterThan(before + 20);
  };
  await more();

  const [newer, another] = [processOf(NEXT), processOf(NEXT)];
  await Promise.all([newer.notifications.start(), another.notifications.start()]);
  serving = [old.notifications, newer.notifications, another.notifications];
  await more();
  // A process of the older version may still start beside them.
  const late = processOf(MIGRATIONS);
  await late.notifications.start();
  serving = [...serving, late.notifications];
  await more();

  serving = [newer.notifications, another.notifications];
  // Rounds that still use the others end first.
  const before = new Map(rounds);
  const areOver = () => users.every((user) => Number(rounds.get(user)) > Number(before.get(user)));
  await expect.poll(areOver, { timeout: 20_000 }).toBe(true);
  await Promise.all([old.end(), late.end()]);
  const acceptedBefore = accepted.length;
  await migrateLater(newer.pool, { schema: "public", migrations: NEXT }, { mayCleanUp: true });
  await more();
  isLoaded = false;
  await Promise.all(loads);

  const processes = [old, late, newer, another];
  const delivered = () => processes.flatMap(({ mails }) => mails.tasks.map(({ recipient }) => recipient)).toSorted();
  await expect.poll(() => delivered().length, { timeout: 20_000 }).toBe(accepted.length);
  expect(delivered()).toEqual(accepted.toSorted());
  expect(failures).toEqual([]);
  expect([old, newer, another].filter(({ mails }) => mails.tasks.length === 0)).toEqual([]);
  for (const user of users) {
    const mine = accepted.filter((name) => name.startsWith(user)).length;
    expect(await newer.notifications.inbox(user).counts()).toMatchObject({ total: mine, unread: 0, lastSeq: mine });
  }
  // Rows that the older version wrote beside the newer one were moved, too, before what it needs was taken away.
  const [moved] = await rowsOf<{ count: number }>(
    newer.pool,
    "SELECT count(*)::int AS count FROM belfry_notifications WHERE colour = 'blue'",
  );
  expect(moved?.count).toBeGreaterThanOrEqual(acceptedBefore);
  const columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'belfry_notifications' AND column_name = 'shade'";
  expect(await rowsOf(newer.pool, columns)).toEqual([]);
  await expect(processOf(MIGRATIONS).notifications.start()).rejects.toSatisfy(
    (error) =>
      error instanceof BelfryError && error.code === "CONFIGURATION" && error.message.includes("needs a package that knows migration"),
  );
  cleanup(() => Promise.all([newer.end(), another.end()]));
});
