import type { Comparison, Scale, Side } from "../harness/row.ts";
import { UNCACHED } from "./content.ts";
import { each } from "./each.ts";
import { fillSqlite } from "./fill-sqlite.ts";
import { RawSqliteReader } from "./raw-sqlite-reader.ts";
import { numberOf, SqliteSetting } from "./sqlite.ts";
import { randomUser, usersOf } from "./users.ts";

const PAGE = 20;

/** The unread count beside one row by its key. */
export async function compareSqliteCounts(scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const users = usersOf(1_000);
  const service = await setting.belfry("belfry.db");
  const raw = setting.raw("belfry.db");
  fillSqlite(raw, { items: scale.of(100_000), users, isEven: true });
  const reader = new RawSqliteReader(raw);
  const side = (name: string, counts: (userId: string) => object | Promise<object>): Side => {
    const user = randomUser(users);
    return { name, run: (count) => each(count, () => counts(user())), sample: () => counts(users[0] as string) };
  };
  const sides = [
    side("belfry", (userId) => service.inbox(userId).counts()),
    side("one row by key", (userId) => reader.counts(userId)),
    side("one row and the look", (userId) => reader.countsAndLook(userId)),
  ];
  return { sides, knobs: setting.knobs("belfry.db"), close: () => setting.close() };
}

/** A page deep inside a large inbox beside its first one. */
export async function compareSqliteDepth(scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const users = usersOf(1_000);
  const service = await setting.belfry("belfry.db", UNCACHED);
  const items = scale.of(200_000);
  fillSqlite(setting.raw("belfry.db"), { items, users, hotShare: 0.5 });
  const inbox = service.inbox(users[0] as string);
  return {
    sides: await depthSides((input) => inbox.list(input), items / 4),
    knobs: setting.knobs("belfry.db"),
    close: () => setting.close(),
  };
}

type List = (input: { readonly limit: number; readonly cursor?: string; readonly offset?: number }) => Promise<{
  readonly items: readonly unknown[];
  readonly nextCursor: string | null;
}>;

/** A side that reads the page behind `depth` items by its cursor, and one that reads the first page. */
export async function depthSides(list: List, depth: number): Promise<readonly Side[]> {
  const { nextCursor } = await list({ limit: PAGE, offset: Math.round(depth) });
  const side = (name: string, input: Parameters<List>[0]): Side => {
    let rows = 0;
    const run = (count: number) =>
      each(count, async () => {
        rows += (await list(input)).items.length;
      });
    return { name, run, work: () => ({ rows }) };
  };
  return [side("deep page", { limit: PAGE, cursor: nextCursor ?? "none" }), side("first page", { limit: PAGE })];
}

/** Mark-all-read of a large inbox beside one mark-read. What each did is undone outside the time. */
export async function compareSqliteMarks(scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const items = scale.of(100_000);
  const service = await setting.belfry("belfry.db");
  const raw = setting.raw("belfry.db");
  fillSqlite(raw, { items, users: ["big"], readShare: 0 });
  const inbox = service.inbox("big");
  const unmarkAll = () =>
    raw.exec(`DELETE FROM belfry_read_marks; UPDATE belfry_inbox_counters SET unread = ${items}, read_up_to_seq = 0 WHERE user_id = 'big'`);
  const unmarkOne = () =>
    raw.exec(`UPDATE belfry_inbox_items SET read_at = NULL WHERE tenant = 'default' AND user_id = 'big' AND seq = 7;
      UPDATE belfry_inbox_counters SET unread = unread + 1 WHERE tenant = 'default' AND user_id = 'big'`);
  const unread = () => numberOf(raw, "SELECT unread FROM belfry_inbox_counters WHERE user_id = 'big'");
  const sides = markSides({
    items,
    markAll: () => inbox.markAllRead(),
    markOne: () => inbox.markRead({ seq: 7 }),
    undo: { all: unmarkAll, one: unmarkOne },
    unread,
  });
  return { sides, knobs: setting.knobs("belfry.db"), close: () => setting.close() };
}

/** What {@link markSides} works with. */
export interface Marking {
  readonly items: number;
  markAll(): Promise<unknown>;
  markOne(): Promise<unknown>;
  readonly undo: { all(): unknown; one(): unknown };
  unread(): number | Promise<number>;
}

/** A side that marks all items read, and one that marks one. Each checks after every operation that it did. */
export function markSides({ items, markAll, markOne, undo, unread }: Marking): readonly Side[] {
  const side = (name: string, mark: () => Promise<unknown>, { left, reset }: { left: number; reset: () => unknown }): Side => ({
    name,
    run: (count, watch) =>
      each(count, async () => {
        await mark();
        await watch.without(async () => {
          const now = await unread();
          if (now !== left) {
            throw new Error(`${name} was to leave ${left} unread, and left ${now}.`);
          }
          await reset();
        });
      }),
  });
  return [
    side("mark-all-read", markAll, { left: 0, reset: undo.all }),
    side("one mark-read", markOne, { left: items - 1, reset: undo.one }),
  ];
}
