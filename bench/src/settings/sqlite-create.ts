import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";
import type { Comparison, Scale, Side } from "../harness/row.ts";
import { inputFor } from "./content.ts";
import { eachGroup } from "./each.ts";
import { fillSqlite, fillUsualSqlite } from "./fill-sqlite.ts";
import { RawSqliteWriter, usualCreate } from "./raw-sqlite.ts";
import { numberOf, SqliteSetting } from "./sqlite.ts";
import { randomUser, usersOf } from "./users.ts";

/** How creates are compared. */
export interface CreateOptions {
  readonly inFlight: number;
  readonly durability: "full" | "normal";
}

/** Creates of each side before anything is measured. */
const WARM_UP = 20_000;

/**
 * Runs the sides' code on databases in memory, until V8 has compiled it as in a process that runs for a while. With a flush for
 * each create, a whole measurement is too short for that.
 */
async function warmUp(inFlight: number): Promise<void> {
  const [own, raw] = [new Database(":memory:"), new Database(":memory:")];
  const services = [own, raw].map((database) => new NotificationService({ storage: sqliteStorage(database) }));
  await Promise.all(services.map((service) => service.inbox("nobody").counts()));
  const [service] = services;
  const writer = new RawSqliteWriter(raw);
  const user = randomUser(usersOf(1_000));
  await eachGroup(WARM_UP, inFlight, async (size) => {
    const next = Array.from({ length: size }, user);
    await Promise.all(next.map((userId) => service?.create(inputFor(userId, size))));
    writer.create(next);
  });
  await Promise.all(services.map((one) => one.stop()));
  own.close();
  raw.close();
}

/** Belfry beside the same work by hand, and beside one row of one table per create. Indexes of an empty table cost nothing. */
export async function compareSqliteCreates({ inFlight, durability }: CreateOptions, scale: Scale): Promise<Comparison> {
  await warmUp(inFlight);
  const setting = await SqliteSetting.open();
  const users = usersOf(1_000);
  const filling = { items: scale.of(100_000), users };
  const service = await setting.belfry("belfry.db", { durability });
  await setting.tables("raw.db");
  const belfry = setting.raw("belfry.db", durability);
  const raw = setting.raw("raw.db", durability);
  const usual = setting.raw("usual.db", durability);
  fillSqlite(belfry, filling);
  fillSqlite(raw, filling);
  fillUsualSqlite(usual, filling);
  const writer = new RawSqliteWriter(raw);
  const createUsual = usualCreate(usual);
  let order = 0;
  const side = (name: string, together: (next: readonly string[]) => unknown): Omit<Side, "work"> => {
    const user = randomUser(users);
    return { name, step: inFlight, run: (count) => eachGroup(count, inFlight, (size) => together(Array.from({ length: size }, user))) };
  };
  const sides: readonly Side[] = [
    {
      ...side("belfry", (next) =>
        Promise.all(
          next.map((userId) => {
            order += 1;
            return service.create(inputFor(userId, order));
          }),
        ),
      ),
      work: () => itemsAndMore(belfry),
    },
    { ...side("raw", (next) => writer.create(next)), work: () => itemsAndMore(raw) },
    { ...side("usual", (next) => next.map(createUsual)), work: () => ({ items: numberOf(usual, "SELECT count(*) FROM notifications") }) },
  ];
  return { sides, knobs: setting.knobs("belfry.db", "raw.db", "usual.db"), close: () => setting.close() };
}

function itemsAndMore(database: ReturnType<SqliteSetting["raw"]>) {
  return {
    items: numberOf(database, "SELECT count(*) FROM belfry_inbox_items"),
    notifications: numberOf(database, "SELECT count(*) FROM belfry_notifications"),
    counted: numberOf(database, "SELECT sum(total) FROM belfry_inbox_counters"),
  };
}
