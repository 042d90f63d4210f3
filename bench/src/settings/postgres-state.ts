import type { InboxCounts } from "@belfry/core";
import type { Comparison, Scale, Side } from "../harness/row.ts";
import { UNCACHED } from "./content.ts";
import { each } from "./each.ts";
import { fillPostgres } from "./fill-postgres.ts";
import { numberIn, PostgresSetting } from "./postgres.ts";
import { depthSides, markSides } from "./sqlite-state.ts";
import { randomUser, usersOf } from "./users.ts";

/** The unread count beside one row by its key. */
export async function comparePostgresCounts(scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const users = usersOf(1_000);
  const { service, pool } = await setting.belfry("belfry", 1);
  await fillPostgres(pool, "belfry", { items: scale.of(100_000), users, isEven: true });
  const [columns, ofUser] = [
    "total, unread, last_seq, epoch, rev, seen_unread",
    "FROM belfry.belfry_inbox_counters WHERE tenant = 'default' AND user_id = $1",
  ];
  const byText =
    (name: string, text: string) =>
    async (userId: string): Promise<InboxCounts> => {
      const { rows } = await pool.query({ name, text, values: [userId], rowMode: "array" });
      const [row] = rows as unknown as readonly (readonly [string, string, string, string, string, string | null])[];
      const [total = "", unread = "", lastSeq = "", epoch = "", rev = "", seenUnread = null] = row ?? [];
      const unseen = Number(unread) - Number(seenUnread);
      return { total: Number(total), unread: Number(unread), unseen, lastSeq: Number(lastSeq), epoch, rev: Number(rev) };
    };
  const newest = "coalesce((SELECT newest FROM belfry.belfry_broadcast_numbers WHERE tenant = 'default'), 0)";
  const side = (name: string, counts: (userId: string) => Promise<InboxCounts>): Side => {
    const user = randomUser(users);
    return { name, run: (count) => each(count, () => counts(user())), sample: () => counts(users[0] as string) };
  };
  const sides = [
    side("belfry", (userId) => service.inbox(userId).counts()),
    side("one row by key", byText("by_key", `SELECT ${columns} ${ofUser}`)),
    side("one row and the look", byText("and_look", `SELECT ${columns}, coalesce(placed_up_to, 0) < ${newest} ${ofUser}`)),
  ];
  return { sides, knobs: await setting.knobs(), serverPid: await setting.serverPid(), close: () => setting.close() };
}

/** A page deep inside a large inbox beside its first one. */
export async function comparePostgresDepth(scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const users = usersOf(1_000);
  const { service, pool } = await setting.belfry("belfry", 1, UNCACHED);
  const items = scale.of(200_000);
  await fillPostgres(pool, "belfry", { items, users, hotShare: 0.5 });
  const inbox = service.inbox(users[0] as string);
  const sides = await depthSides((input) => inbox.list(input), items / 4);
  return { sides, knobs: await setting.knobs(), serverPid: await setting.serverPid(), close: () => setting.close() };
}

/** Mark-all-read of a large inbox beside one mark-read. What each did is undone outside the time. */
export async function comparePostgresMarks(scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const { service, pool } = await setting.belfry("belfry", 1);
  const items = scale.of(100_000);
  await fillPostgres(pool, "belfry", { items, users: ["big"], readShare: 0 });
  const raw = setting.pool(1);
  const inbox = service.inbox("big");
  const sides = markSides({
    items,
    markAll: () => inbox.markAllRead(),
    markOne: () => inbox.markRead({ seq: 7 }),
    undo: {
      all: () =>
        raw.query(
          `DELETE FROM belfry.belfry_read_marks; UPDATE belfry.belfry_inbox_counters SET unread = ${items}, read_up_to_seq = 0 WHERE user_id = 'big'`,
        ),
      one: () =>
        raw.query(`UPDATE belfry.belfry_inbox_items SET read_at = NULL WHERE tenant = 'default' AND user_id = 'big' AND seq = 7;
          UPDATE belfry.belfry_inbox_counters SET unread = unread + 1 WHERE user_id = 'big'`),
    },
    unread: () => numberIn(raw, "SELECT unread FROM belfry.belfry_inbox_counters WHERE user_id = 'big'"),
  });
  return { sides, knobs: await setting.knobs(), serverPid: await setting.serverPid(), close: () => setting.close() };
}

const SIZES = [10, 10_000, 1_000_000] as const;
const PAGE = 10;

/** A page of inboxes of different sizes, each a side. */
export async function comparePostgresSizes(scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const { service, pool } = await setting.belfry("belfry", 1, UNCACHED);
  const sides: Side[] = [];
  for (const size of SIZES) {
    const userId = `user_of_${size}`;
    await fillPostgres(pool, "belfry", { items: size === 10 ? size : scale.of(size), users: [userId] });
    let rows = 0;
    const run = (count: number) =>
      each(count, async () => {
        rows += (await service.inbox(userId).list({ limit: PAGE })).items.length;
      });
    sides.push({ name: `inbox of ${size}`, run, work: () => ({ rows }) });
  }
  return { sides, knobs: await setting.knobs(), serverPid: await setting.serverPid(), close: () => setting.close() };
}
