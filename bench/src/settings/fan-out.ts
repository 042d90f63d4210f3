import type Database from "better-sqlite3";
import type pg from "pg";
import type { Comparison, Scale, Side, Work } from "../harness/row.ts";
import { dataOf, MESSAGE, TITLE, typeOf } from "./content.ts";
import { fillPostgres } from "./fill-postgres.ts";
import { fillSqlite } from "./fill-sqlite.ts";
import { numberIn, PostgresSetting } from "./postgres.ts";
import { randomFrom, shuffled } from "./random.ts";
import { rawUuidV7 } from "./raw-uuid.ts";
import { numberOf, SqliteSetting } from "./sqlite.ts";
import { usersOf } from "./users.ts";

const LOOK_MS = 2;
const EPOCH = "left(replace(gen_random_uuid()::text, '-', ''), 12)";

/** Resolves once nothing is left to be written of a large create. */
export async function untilWritten(chunks: () => number | Promise<number>): Promise<void> {
  while ((await chunks()) > 0) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** One notification to all users of a SQLite database, in random order. */
export async function compareSqliteFanOut(recipients: number, scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const users = usersOf(scale.of(recipients));
  const service = await setting.belfry("belfry.db");
  await setting.tables("raw.db");
  const [own, raw] = [setting.raw("belfry.db"), setting.raw("raw.db")];
  for (const database of [own, raw]) {
    fillSqlite(database, { items: users.length, users, isEven: true });
  }
  await service.start();
  const writeRaw = rawSqliteFanOut(raw);
  const work = (database: Database.Database) => (): Work => ({
    items: numberOf(database, "SELECT count(*) FROM belfry_inbox_items"),
    counted: numberOf(database, "SELECT sum(total) FROM belfry_inbox_counters"),
    notifications: numberOf(database, "SELECT count(*) FROM belfry_notifications"),
  });
  const sides = fanOutSides({
    users,
    work: { belfry: work(own), raw: work(raw) },
    async belfry(to, order) {
      await service.create({ to, type: typeOf(order), title: TITLE, message: MESSAGE, data: dataOf(order) });
      await service.runDue();
    },
    raw: async (to, order) => writeRaw(to, order),
  });
  return { sides, knobs: setting.knobs("belfry.db", "raw.db"), close: () => setting.close() };
}

/** One notification to all users of a PostgreSQL database, in random order. */
export async function comparePostgresFanOut(recipients: number, scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const users = usersOf(scale.of(recipients));
  const { service, pool } = await setting.belfry("belfry", 2);
  await (await setting.belfry("raw", 1)).service.stop();
  const raw = setting.pool(1);
  for (const schema of ["belfry", "raw"]) {
    await fillPostgres(raw, schema, { items: users.length, users, isEven: true });
  }
  await service.start();
  const work = (schema: string) => async (): Promise<Work> => ({
    items: await numberIn(pool, `SELECT count(*) FROM ${schema}.belfry_inbox_items`),
    counted: await numberIn(pool, `SELECT sum(total) FROM ${schema}.belfry_inbox_counters`),
    notifications: await numberIn(pool, `SELECT count(*) FROM ${schema}.belfry_notifications`),
  });
  const sides = fanOutSides({
    users,
    work: { belfry: work("belfry"), raw: work("raw") },
    async belfry(to, order) {
      await service.create({ to, type: typeOf(order), title: TITLE, message: MESSAGE, data: dataOf(order) });
      await service.runDue();
    },
    raw: (to, order) => rawPostgresFanOut(raw, to, order),
  });
  return { sides, knobs: await setting.knobs(), serverPid: await setting.serverPid(), close: () => setting.close() };
}

type Write = (to: readonly string[], order: number) => Promise<unknown>;

/** The two sides of a fan-out, and what they have written so far. */
export interface FanOuts {
  readonly users: readonly string[];
  readonly work: Readonly<Record<"belfry" | "raw", () => Work | Promise<Work>>>;
  readonly belfry: Write;
  readonly raw: Write;
}

/** Sides of which each operation is one notification to all users. */
export function fanOutSides({ users, work, belfry, raw }: FanOuts): readonly Side[] {
  const to = shuffled(users, randomFrom(13));
  let order = 0;
  const side = (name: "belfry" | "raw", write: Write): Side => ({
    name,
    async run(count) {
      for (let index = 0; index < count; index += 1) {
        order += 1;
        await write(to, order);
      }
    },
    work: work[name],
  });
  return [side("belfry", belfry), side("raw", raw)];
}

/** Sorts, and writes by sets in one transaction. It blocks the process meanwhile, and nothing is durable before the end. */
function rawSqliteFanOut(database: Database.Database): (to: readonly string[], order: number) => void {
  const notification = database.prepare(
    "INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, priority, created_at) VALUES ('default', ?, 'message', ?, ?, ?, ?, 'normal', ?)",
  );
  const counters = database.prepare(
    `INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
      SELECT 'default', value, 1, 1, 1, 0, lower(hex(randomblob(6))) FROM json_each(?) WHERE true
      ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = last_seq + 1, total = total + 1, unread = unread + 1`,
  );
  const items = database.prepare(
    `INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
      SELECT 'default', c.user_id, c.last_seq, ?, ?, ? FROM json_each(?) r CROSS JOIN belfry_inbox_counters c ON c.tenant = 'default' AND c.user_id = r.value`,
  );
  return database.transaction((to: readonly string[], order: number) => {
    const now = Date.now();
    const type = typeOf(order);
    const sorted = JSON.stringify(to.toSorted());
    const { lastInsertRowid } = notification.run(rawUuidV7(now), type, TITLE, MESSAGE, JSON.stringify(dataOf(order)), now);
    counters.run(sorted);
    items.run(lastInsertRowid, type, now, sorted);
  });
}

/** Sorts, and writes everything in one statement. */
function rawPostgresFanOut(pool: pg.Pool, to: readonly string[], order: number): Promise<unknown> {
  const now = Date.now();
  const text = `WITH n AS (
      INSERT INTO raw.belfry_notifications (tenant, id, kind, type, title, message, data, priority, created_at)
      VALUES ('default', $1, 'message', $2, $3, $4, $5, 'normal', $6) RETURNING pk),
    c AS (
      INSERT INTO raw.belfry_inbox_counters AS c (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch, began_after)
      SELECT 'default', user_id, 1, 1, 1, 0, ${EPOCH}, 0 FROM unnest($7::text[]) AS u(user_id)
      ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1
      RETURNING user_id, last_seq)
    INSERT INTO raw.belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT 'default', c.user_id, c.last_seq, n.pk, $2, $6 FROM c CROSS JOIN n`;
  const data = JSON.stringify(dataOf(order));
  const values = [rawUuidV7(now), typeOf(order), TITLE, MESSAGE, data, new Date(now).toISOString(), to.toSorted()];
  return pool.query({ name: "raw_fan_out", text, values });
}
