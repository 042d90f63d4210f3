import type { NotificationService } from "@belfry/core";
import type { Comparison, Scale, Side } from "../harness/row.ts";
import { inputFor } from "./content.ts";
import { each } from "./each.ts";
import { settle } from "./fill-postgres.ts";
import { numberIn, PostgresSetting } from "./postgres.ts";
import { numberOf, SqliteSetting } from "./sqlite.ts";
import { randomUser, usersOf } from "./users.ts";

/** Both write through one service into the same database, of whose users each has an inbox. */
interface BroadcastSides {
  readonly service: NotificationService;
  readonly users: readonly string[];
  /** How many rows a table has. */
  count(table: string): number | Promise<number>;
}

function broadcastSides({ service, users, count }: BroadcastSides): readonly Side[] {
  const user = randomUser(users);
  let order = 0;
  const create = (to: string) => {
    order += 1;
    return service.create(inputFor(to, order));
  };
  return [
    {
      name: "everyone",
      run: (times) => each(times, () => create("everyone")),
      work: async () => ({ broadcasts: await count("belfry_broadcasts") }),
    },
    {
      name: "one user",
      run: (times) => each(times, () => create(user())),
      work: async () => ({ items: await count("belfry_inbox_items") }),
    },
  ];
}

/** A broadcast to all users of a SQLite database, beside a create to one of them. */
export async function compareSqliteBroadcast(known: number, scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const users = usersOf(scale.of(known));
  const service = await setting.belfry("belfry.db");
  const database = setting.raw("belfry.db");
  database
    .prepare(
      `INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
      SELECT 'default', value, 0, 0, 0, 0, lower(hex(randomblob(6))) FROM json_each(?)`,
    )
    .run(JSON.stringify(users));
  database.pragma("wal_checkpoint(TRUNCATE)");
  await service.start();
  const sides = broadcastSides({ service, users, count: (table) => numberOf(database, `SELECT count(*) FROM ${table}`) });
  return { sides, knobs: setting.knobs("belfry.db"), close: () => setting.close() };
}

/** A broadcast to all users of a PostgreSQL database, beside a create to one of them. */
export async function comparePostgresBroadcast(known: number, scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const users = usersOf(scale.of(known));
  const { service, pool } = await setting.belfry("belfry", 2);
  await pool.query(
    `INSERT INTO belfry.belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
    SELECT 'default', u, 0, 0, 0, 0, left(replace(gen_random_uuid()::text, '-', ''), 12) FROM unnest($1::text[]) AS u`,
    [users],
  );
  await settle(pool, ["belfry.belfry_inbox_counters"]);
  await service.start();
  const sides = broadcastSides({ service, users, count: (table) => numberIn(pool, `SELECT count(*) FROM belfry.${table}`) });
  return { sides, knobs: await setting.knobs(), serverPid: await setting.serverPid(), close: () => setting.close() };
}
