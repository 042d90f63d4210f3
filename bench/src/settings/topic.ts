import type { NotificationService } from "@belfry/core";
import type Database from "better-sqlite3";
import type pg from "pg";
import type { Comparison, Scale, Work } from "../harness/row.ts";
import { dataOf, MESSAGE, TITLE, typeOf } from "./content.ts";
import { fanOutSides } from "./fan-out.ts";
import { fillPostgres, settle } from "./fill-postgres.ts";
import { fillSqlite } from "./fill-sqlite.ts";
import { numberIn, PostgresSetting } from "./postgres.ts";
import { rawUuidV7 } from "./raw-uuid.ts";
import { numberOf, SqliteSetting } from "./sqlite.ts";
import { usersOf } from "./users.ts";

/** The topic that all users subscribe to. */
export const TOPIC = "all";

/**
 * How many items raw writes in a transaction. With more it is faster, and holds up others longer. On SQLite, which holds up the
 * whole process, 300 is the most that keeps to what is asked of Belfry, too, no block over 25 ms among a million: it took 24 s for
 * them and 22 ms at its longest, where 1,000 took 16 s and 55 ms.
 */
const BATCH = { sqlite: 300, postgres: 5_000 };

/** The pages in the WAL from which SQLite moves them: with more, a batch that moves them takes 40 ms. */
const CHECKPOINT_PAGES = 200;

/** Subscribes users to the topic. */
export function subscribeSqlite(database: Database.Database, users: readonly string[], topic = TOPIC): void {
  database
    .prepare(
      `INSERT INTO belfry_subscriptions (tenant, topic, user_id, is_deep, channels, created_at)
      SELECT 'default', ?, value, 0, NULL, ? FROM json_each(?)`,
    )
    .run(topic, Date.now(), JSON.stringify(users));
  database.pragma("wal_checkpoint(TRUNCATE)");
}

/** Subscribes users to the topic. */
export async function subscribePostgres(pool: pg.Pool, schema: string, users: readonly string[], topic = TOPIC): Promise<void> {
  await pool.query(
    `INSERT INTO ${schema}.belfry_subscriptions (tenant, topic, user_id, is_deep, channels, created_at)
    SELECT 'default', $1, u, false, NULL, now() FROM unnest($2::text[]) AS u`,
    [topic, users],
  );
  await settle(pool, [`${schema}.belfry_subscriptions`]);
}

function create(service: NotificationService, order: number) {
  return service.create({ topic: TOPIC, type: typeOf(order), title: TITLE, message: MESSAGE, data: dataOf(order) });
}

/** One notification to all subscribers of a topic in a SQLite database. */
export async function compareSqliteTopic(subscribers: number, scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const users = usersOf(scale.of(subscribers));
  const service = await setting.belfry("belfry.db");
  await setting.tables("raw.db");
  const [own, raw] = [setting.raw("belfry.db"), setting.raw("raw.db")];
  for (const database of [own, raw]) {
    fillSqlite(database, { items: users.length, users, isEven: true });
    subscribeSqlite(database, users);
  }
  await service.start();
  const writeRaw = rawSqliteTopic(raw);
  const work = (database: Database.Database) => (): Work => ({
    items: numberOf(database, "SELECT count(*) FROM belfry_inbox_items"),
    counted: numberOf(database, "SELECT sum(total) FROM belfry_inbox_counters"),
    notifications: numberOf(database, "SELECT count(*) FROM belfry_notifications"),
  });
  const sides = fanOutSides({
    users,
    work: { belfry: work(own), raw: work(raw) },
    async belfry(_, order) {
      await create(service, order);
      await service.runDue();
    },
    raw: async (_, order) => writeRaw(order),
  });
  return { sides, knobs: setting.knobs("belfry.db", "raw.db"), close: () => setting.close() };
}

/** One notification to all subscribers of a topic in a PostgreSQL database. */
export async function comparePostgresTopic(subscribers: number, scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const users = usersOf(scale.of(subscribers));
  const { service, pool } = await setting.belfry("belfry", 2);
  await (await setting.belfry("raw", 1)).service.stop();
  const raw = setting.pool(1);
  for (const schema of ["belfry", "raw"]) {
    await fillPostgres(raw, schema, { items: users.length, users, isEven: true });
    await subscribePostgres(raw, schema, users);
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
    async belfry(_, order) {
      await create(service, order);
      await service.runDue();
    },
    raw: (_, order) => rawPostgresTopic(raw, order),
  });
  return { sides, knobs: await setting.knobs(), serverPid: await setting.serverPid(), close: () => setting.close() };
}

/** The users of a batch: those after the last one of the batch before. SQLite would plan it anew for each plain value. */
const NEXT = "SELECT user_id FROM belfry_subscriptions WHERE tenant = 'default' AND topic = +? AND user_id > +? ORDER BY user_id LIMIT +?";

/** Writes batch by batch, each from the subscriptions by their key and in a transaction of its own. It does not remember how far it got. */
function rawSqliteTopic(database: Database.Database): (order: number) => void {
  const notification = database.prepare(
    "INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, priority, created_at) VALUES ('default', ?, 'message', ?, ?, ?, ?, 'normal', ?)",
  );
  const last = database.prepare<unknown[], { readonly last: string | null }>(`SELECT max(user_id) AS last FROM (${NEXT})`);
  const counters = database.prepare(
    `INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
      SELECT 'default', user_id, 1, 1, 1, 0, lower(hex(randomblob(6))) FROM (${NEXT}) WHERE true
      ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = last_seq + 1, total = total + 1, unread = unread + 1`,
  );
  const items = database.prepare(
    `INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
      SELECT 'default', c.user_id, c.last_seq, ?, ?, ? FROM (${NEXT}) s CROSS JOIN belfry_inbox_counters c ON c.tenant = 'default' AND c.user_id = s.user_id`,
  );
  const writeBatch = database.transaction((key: number | bigint, after: string, order: number): string | null => {
    const batch = [TOPIC, after, BATCH.sqlite];
    const { last: end } = last.get(...batch) ?? { last: null };
    counters.run(...batch);
    items.run(key, typeOf(order), Date.now(), ...batch);
    return end;
  });
  return (order) => {
    const now = Date.now();
    const { lastInsertRowid } = notification.run(rawUuidV7(now), typeOf(order), TITLE, MESSAGE, JSON.stringify(dataOf(order)), now);
    const pages = database.pragma("wal_autocheckpoint", { simple: true });
    database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    for (let after: string | null = ""; after !== null; after = writeBatch(lastInsertRowid, after, order)) {
      // One batch after the other.
    }
    database.pragma(`wal_autocheckpoint = ${pages}`);
  };
}

/** Writes batch by batch, as {@link rawSqliteTopic} does. */
async function rawPostgresTopic(pool: pg.Pool, order: number): Promise<void> {
  const now = Date.now();
  const { rows } = await pool.query<{ pk: string }>({
    name: "raw_topic_notification",
    text: `INSERT INTO raw.belfry_notifications (tenant, id, kind, type, title, message, data, priority, created_at)
      VALUES ('default', $1, 'message', $2, $3, $4, $5, 'normal', $6) RETURNING pk`,
    values: [rawUuidV7(now), typeOf(order), TITLE, MESSAGE, JSON.stringify(dataOf(order)), new Date(now).toISOString()],
  });
  const text = `WITH s AS (
      SELECT user_id FROM raw.belfry_subscriptions WHERE tenant = 'default' AND topic = $1 AND user_id > $2 ORDER BY user_id LIMIT $3),
    c AS (
      INSERT INTO raw.belfry_inbox_counters AS c (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch, began_after)
      SELECT 'default', user_id, 1, 1, 1, 0, left(replace(gen_random_uuid()::text, '-', ''), 12), 0 FROM s
      ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1
      RETURNING user_id, last_seq),
    i AS (
      INSERT INTO raw.belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
      SELECT 'default', c.user_id, c.last_seq, $4::bigint, $5, $6 FROM c)
    SELECT max(user_id) AS last FROM s`;
  for (let after: string | null = ""; after !== null; ) {
    const values: readonly unknown[] = [TOPIC, after, BATCH.postgres, rows[0]?.pk, typeOf(order), new Date(now).toISOString()];
    const batch: pg.QueryResult<{ last: string | null }> = await pool.query({ name: "raw_topic", text, values: [...values] });
    after = batch.rows[0]?.last ?? null;
  }
}
