import type { Comparison, Scale, Side, Work } from "../harness/row.ts";
import { each } from "./each.ts";
import { fillSqlite, fillUsualSqlite } from "./fill-sqlite.ts";
import { RawSqliteReader } from "./raw-sqlite-reader.ts";
import { SqliteSetting } from "./sqlite.ts";
import { eachUser, randomUser, usersOf } from "./users.ts";

const PAGE = 20;

/** Whose inboxes are read. */
export interface Readers {
  readonly users: number;
  readonly itemsEach: number;
  /** `random`: users come again and again. `each`: none comes twice before all others came, so that no cache has them. */
  readonly order: "random" | "each";
}

/** 1,000 users, read again and again. Before they are measured, all sides read each of them {@link READS_TO_WARM} times. */
export const WARM: Readers = { users: 1_000, itemsEach: 100, order: "random" };
/** After so many reads of a list every cache that may keep it has it. */
export const READS_TO_WARM = 3;
/** More users than a run reads, so none is read twice: Belfry keeps what is read a second time, which costs. */
export const COLD: Readers = { users: 40_000, itemsEach: 21, order: "each" };

/** Belfry's list beside the same work by hand, and beside the obvious code of an application. */
export async function compareSqliteLists({ users: userCount, itemsEach, order }: Readers, scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const users = usersOf(scale.of(userCount));
  const filling = { items: users.length * itemsEach, users, isEven: true };
  const service = await setting.belfry("belfry.db");
  fillSqlite(setting.raw("belfry.db"), filling);
  const usual = setting.raw("usual.db");
  fillUsualSqlite(usual, filling);
  const reader = new RawSqliteReader(setting.raw("belfry.db"));
  const lists: ((userId: string) => unknown)[] = [];
  const side = (name: string, list: (userId: string) => readonly unknown[] | Promise<readonly unknown[]>): Side & { work(): Work } => {
    const user = order === "random" ? randomUser(users) : eachUser(users);
    let rows = 0;
    lists.push(list);
    const run = (count: number) =>
      each(count, async () => {
        rows += (await list(user())).length;
      });
    return { name, run, work: () => ({ rows }) };
  };
  const [sample = ""] = users;
  const sides: readonly Side[] = [
    {
      ...side("belfry", async (userId) => (await service.inbox(userId).list({ limit: PAGE })).items),
      async sample() {
        const { items, counts } = await service.inbox(sample).list({ limit: PAGE });
        return { items, counts };
      },
    },
    {
      ...side("raw", (userId) => reader.list(userId, PAGE).items),
      sample() {
        const { items, counts } = reader.list(sample, PAGE);
        return { items, counts };
      },
    },
    side("usual", (userId) => {
      const rows = usual.prepare("SELECT * FROM notifications WHERE user_id = ? ORDER BY created_at DESC LIMIT ?").all(userId, PAGE);
      const unread = usual.prepare("SELECT count(*) FROM notifications WHERE user_id = ? AND is_read = 0").pluck().get(userId);
      return (rows as { data: string }[]).map((row) => ({ ...row, data: JSON.parse(row.data), unread }));
    }),
  ];
  for (let reads = 0; order === "random" && reads < READS_TO_WARM; reads += 1) {
    for (const list of lists) {
      const user = eachUser(users);
      await each(users.length, () => list(user()));
    }
  }
  return { sides, knobs: setting.knobs("belfry.db", "usual.db"), close: () => setting.close() };
}
