import { Stopwatch } from "../harness/stopwatch.ts";
import { inputFor } from "../settings/content.ts";
import { fillPostgres } from "../settings/fill-postgres.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { RawPostgresWriter } from "../settings/raw-postgres.ts";
import { usersOf } from "../settings/users.ts";

/** What changes one row again and again, or reads it. */
interface HotRow {
  readonly name: string;
  run(): Promise<unknown>;
}

const ITEMS = 100_000;
/** Into how many parts the changes beside a held snapshot are divided. */
const PARTS = 5;
/** How many of each come one after the other. */
const TURN = 200;

/**
 * Measures broadcasts of one tenant and creates to one inbox, by Belfry and by hand, before, while and after another session holds its
 * snapshot: PostgreSQL then keeps all versions of the row that each of them changes, and the next one walks over them. So what counts is the
 * number of changes, and commits need not wait for the disk.
 */
export async function measureSnapshot(changes: number, print: (lines: readonly string[]) => void): Promise<void> {
  const setting = await PostgresSetting.open();
  await setting.pool(1).query("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$");
  const serverPid = await setting.serverPid();
  const rows = await hotRowsOf(setting);
  const measure = async (when: string) => {
    const micros = await turns(rows, { times: Math.ceil(changes / PARTS / TURN), serverPid });
    print([`${when}: ${rows.map(({ name }) => `${name} ${micros.get(name)}`).join(", ")}`]);
  };
  print(["CPU of the server in µs"]);
  await measure("warming up");
  await measure("before");
  const holder = await setting.pool(1).connect();
  await holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  await holder.query("SELECT 1 FROM belfry.belfry_inbox_counters LIMIT 1");
  for (let part = 1; part <= PARTS; part += 1) {
    await measure(`up to ${((changes * part) / PARTS).toLocaleString("en")} changes of each beside a held snapshot`);
  }
  await holder.query("COMMIT");
  holder.release();
  await measure("after");
  await setting.close();
}

async function hotRowsOf(setting: PostgresSetting): Promise<readonly HotRow[]> {
  const users = usersOf(1_000);
  const [hot = ""] = users;
  const { service, pool } = await setting.belfry("belfry", 1);
  await (await setting.belfry("raw", 1)).service.stop();
  for (const schema of ["belfry", "raw"]) {
    await fillPostgres(pool, schema, { items: ITEMS, users });
  }
  const writer = new RawPostgresWriter(pool, "raw", "belfry_raw");
  let order = 0;
  const create = (to: string) => {
    order += 1;
    return service.create(inputFor(to, order));
  };
  return [
    { name: "broadcast", run: () => create("everyone") },
    { name: "create to one inbox", run: () => create(hot) },
    { name: "the same by hand", run: () => writer.createOne(hot) },
    { name: "counts of that inbox", run: () => service.inbox(hot).counts() },
  ];
}

/** Gives each `times` turns, one after the other. Returns what one of each cost the server, in microseconds. */
async function turns(
  rows: readonly HotRow[],
  { times, serverPid }: { readonly times: number; readonly serverPid: number | null },
): Promise<ReadonlyMap<string, number>> {
  const used = new Map<string, number>();
  for (let turn = 0; turn < times; turn += 1) {
    for (const { name, run } of rows) {
      const watch = new Stopwatch(serverPid);
      for (let index = 0; index < TURN; index += 1) {
        await run();
      }
      used.set(name, (used.get(name) ?? 0) + watch.stop().serverMicros);
    }
  }
  return new Map([...used].map(([name, micros]) => [name, Math.round(micros / times / TURN)]));
}
