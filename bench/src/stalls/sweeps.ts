import type { NotificationServiceOptions } from "@belfry/core";
import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { fillPostgres } from "../settings/fill-postgres.ts";
import { type Filling, fillSqlite } from "../settings/fill-sqlite.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { SqliteSetting } from "../settings/sqlite.ts";
import { usersOf } from "../settings/users.ts";
import { Steps } from "./steps.ts";

const ITEMS = 1_000_000;
const ITEMS_PER_USER = 50;
const HOT_SHARE = 0.02;
const GOAL_MS = 10;

/** Measures for how long each step of a sweep, and of deleting a user with a large inbox, keeps its locks. */
export async function measureSweeps(scale: number): Promise<readonly string[]> {
  const items = Math.round(ITEMS * scale);
  const filling = { items, users: usersOf(Math.round(items / ITEMS_PER_USER)), hotShare: HOT_SHARE };
  const title = `Steps of sweeps over ${items.toLocaleString("en")} items (goal: locks of ${GOAL_MS} ms a step)`;
  return [title, ...(await sweepSqlite(filling)), ...(await sweepPostgres(filling))];
}

async function sweepSqlite(filling: Filling): Promise<readonly string[]> {
  const setting = await SqliteSetting.open();
  await setting.tables("belfry.db");
  const raw = setting.raw("belfry.db");
  fillSqlite(raw, filling);
  raw.close();
  const steps = new Steps();
  const storage = steps.watchCalls(sqliteStorage(setting.path("belfry.db")));
  const lines = await sweep({ name: "SQLite", storage, steps }, filling.users);
  await setting.close();
  return lines;
}

async function sweepPostgres(filling: Filling): Promise<readonly string[]> {
  const setting = await PostgresSetting.open();
  const { pool } = await setting.belfry("belfry", 2);
  await fillPostgres(pool, "belfry", filling);
  const steps = new Steps();
  const watched = setting.pool(2);
  steps.watchTransactions(watched);
  const lines = await sweep({ name: "PostgreSQL", storage: postgresStorage(watched, { schema: "belfry" }), steps }, filling.users);
  await setting.close();
  return lines;
}

interface Swept {
  readonly name: string;
  readonly storage: NotificationServiceOptions["storage"];
  readonly steps: Steps;
}

async function sweep({ name, storage, steps }: Swept, users: readonly string[]): Promise<readonly string[]> {
  const service = new NotificationService({ storage, retention: { readMs: 1, types: { mention: { unreadMs: 1 } } } });
  await service.inbox("nobody").counts();
  steps.take();
  const { items } = await service.sweep();
  const swept = steps.take();
  const { removed } = await service.deleteUser(users[0] as string);
  const erased = steps.take();
  await service.stop();
  return [
    `${name}: a sweep that removed ${items.toLocaleString("en")} items: ${swept}`,
    `${name}: deleting a user, ${removed.toLocaleString("en")} rows: ${erased}`,
  ];
}
