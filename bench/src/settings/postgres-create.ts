import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import { boolean, jsonb, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import knex, { type Knex } from "knex";
import type pg from "pg";
import type { Comparison, Scale, Side, Work } from "../harness/row.ts";
import { Stopwatch } from "../harness/stopwatch.ts";
import { dataOf, inputFor, MESSAGE, TITLE, typeOf } from "./content.ts";
import { eachGroup } from "./each.ts";
import { fillPostgres, fillUsualPostgres } from "./fill-postgres.ts";
import { numberIn, PostgresSetting } from "./postgres.ts";
import { RawPostgresWriter } from "./raw-postgres.ts";
import { SignalCounter } from "./signal-counter.ts";
import { randomUser, usersOf } from "./users.ts";

/** Creates of each side before anything is measured. */
const WARM_UP = 5_000;

const CHANNELS = { belfry: "belfry-feeds_belfry", raw: "belfry_raw", single: "belfry_single" } as const;

/** Belfry, the same work by hand and what applications do, each over one connection, with a process that listens. */
export async function comparePostgresCreates(inFlight: number, scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const users = usersOf(1_000);
  const filling = { items: scale.of(100_000), users };
  // One connection writes; Belfry's listening takes another.
  const { service, pool } = await setting.belfry("belfry", inFlight === 1 ? 1 : 2);
  const raw = setting.pool(1);
  await fillPostgres(raw, "belfry", filling);
  for (const schema of inFlight === 1 ? ["raw"] : ["raw", "single"]) {
    await (await setting.belfry(schema, 1)).service.stop();
    await fillPostgres(raw, schema, filling);
  }
  for (const table of ["notifications", "drizzle_notifications"]) {
    await fillUsualPostgres(raw, table, filling);
  }
  await service.start();
  const listener = await SignalCounter.listen(setting.url, Object.values(CHANNELS));
  const writer = new RawPostgresWriter(raw, "raw", CHANNELS.raw);
  const query = knex({ client: "pg", connection: setting.url, pool: { min: 1, max: 1 } });
  let order = 0;
  const side = (name: string, together: (users: readonly string[]) => unknown, work: () => Promise<Work>): Side => {
    const user = randomUser(users);
    const run = (count: number) => eachGroup(count, inFlight, (size) => together(Array.from({ length: size }, user)));
    return { name, step: inFlight, run, work };
  };
  const createAll = (next: readonly string[]) =>
    Promise.all(
      next.map((userId) => {
        order += 1;
        return service.create(inputFor(userId, order));
      }),
    );
  const written = (schema: keyof typeof CHANNELS) => () => writtenIn({ pool, listener, schema, filled: filling.items });
  const sides = [side("belfry", createAll, written("belfry"))];
  if (inFlight === 1) {
    const one = drizzle({ client: setting.pool(1) });
    const items = (table: string) => async () => ({ items: await numberIn(raw, `SELECT count(*) FROM ${table}`) });
    sides.push(side("raw", ([userId = ""]) => writer.createOne(userId), written("raw")));
    sides.push(side("knex", ([userId = ""]) => insertByKnex(query, userId), items("notifications")));
    sides.push(side("drizzle", ([userId = ""]) => insertByDrizzle(one, userId), items("drizzle_notifications")));
  } else {
    sides.push(side("raw", (next) => writer.createMany(next), written("raw")));
    const single = new RawPostgresWriter(raw, "single", CHANNELS.single);
    const oneByOne = async (next: readonly string[]) => {
      for (const userId of next) {
        await single.createOne(userId);
      }
    };
    sides.push(side("one by one", oneByOne, written("single")));
  }
  // Creates that wait for the disk are few in a measurement, too few for V8 to compile the code as in a process that runs for a while.
  for (const { run } of sides) {
    await run(WARM_UP, new Stopwatch(null));
  }
  const close = async () => {
    await query.destroy();
    await listener.close();
    await setting.close();
  };
  return { sides, knobs: await setting.knobs(), serverPid: await setting.serverPid(), close };
}

let order = 0;

/** Writes as an application without a library does: one row. */
function insertByKnex(query: Knex, userId: string): Promise<unknown> {
  order += 1;
  return query("notifications").insert({
    id: crypto.randomUUID(),
    user_id: userId,
    type: typeOf(order),
    title: TITLE,
    message: MESSAGE,
    data: JSON.stringify(dataOf(order)),
    created_at: new Date(),
  });
}

const drizzleNotifications = pgTable("drizzle_notifications", {
  id: uuid("id").primaryKey(),
  userId: text("user_id").notNull(),
  type: text("type").notNull(),
  title: text("title").notNull(),
  message: text("message").notNull(),
  data: jsonb("data").notNull(),
  isRead: boolean("is_read").notNull().default(false),
  createdAt: timestamp("created_at", { withTimezone: true }).notNull(),
});

/** The same row by drizzle. */
function insertByDrizzle(database: NodePgDatabase, userId: string): Promise<unknown> {
  order += 1;
  return database.insert(drizzleNotifications).values({
    id: crypto.randomUUID(),
    userId,
    type: typeOf(order),
    title: TITLE,
    message: MESSAGE,
    data: dataOf(order),
    createdAt: new Date(),
  });
}

interface Written {
  readonly pool: pg.Pool;
  readonly listener: SignalCounter;
  readonly schema: keyof typeof CHANNELS;
  readonly filled: number;
}

async function writtenIn({ pool, listener, schema, filled }: Written): Promise<Work> {
  const items = await numberIn(pool, `SELECT count(*) FROM ${schema}.belfry_inbox_items`);
  const notifications = await numberIn(pool, `SELECT count(*) FROM ${schema}.belfry_notifications`);
  const counted = await numberIn(pool, `SELECT sum(total) FROM ${schema}.belfry_inbox_counters`);
  return { items, notifications, counted, signals: await listener.settled(CHANNELS[schema], items - filled) };
}
