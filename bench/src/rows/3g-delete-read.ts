import type { Inbox } from "@belfry/core";
import type { FigureGoal, Figures, Row, Scale } from "../harness/row.ts";
import { UNCACHED } from "../settings/content.ts";
import { fillPostgres } from "../settings/fill-postgres.ts";
import { fillSqlite } from "../settings/fill-sqlite.ts";
import { longestBlock } from "../settings/longest-block.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { SqliteSetting } from "../settings/sqlite.ts";

const ITEMS = 500_000;
const PAGE = 20;
const ROUNDS = 3;
/** How often the page behind the offset is timed in a round. Its block is watched before that: to watch takes time. */
const PAGES = 20;
/** One whose items are read by a mark of everything, as most people read them, and one whose items are read one by one. */
const FILLINGS = [
  { users: ["marked"], readShare: 0 },
  { users: ["singly"], readShare: 1 },
] as const;

/** Undoes what was done, in the tables of a schema. */
const undo = (prefix: string, items: number) => `
  UPDATE ${prefix}belfry_inbox_items SET deleted_at = NULL WHERE deleted_at IS NOT NULL;
  DELETE FROM ${prefix}belfry_read_marks;
  UPDATE ${prefix}belfry_inbox_counters SET total = ${items}, read_up_to_seq = 0, removed_up_to_seq = NULL, removed_at = NULL, removed_after_seq = NULL;
  UPDATE ${prefix}belfry_inbox_counters SET unread = ${items} WHERE user_id = 'marked';`;

interface Inboxes {
  readonly marked: Inbox;
  readonly singly: Inbox;
  readonly items: number;
  reset(): unknown;
}

/** Deletes what is read in an inbox, which is all. */
async function removeAll(inbox: Inbox, items: number): ReturnType<typeof longestBlock> {
  let removed = 0;
  const measured = await longestBlock(async () => {
    removed = await inbox.removeRead();
  });
  if (removed !== items) {
    throw new Error(`${items} items were to be deleted, and ${removed} were.`);
  }
  return measured;
}

async function measure({ marked, singly, items, reset }: Inboxes): Promise<Figures["samples"]> {
  const samples: Record<string, number[]> = {};
  const add = (name: string, value: number) => {
    samples[name] = [...(samples[name] ?? []), value];
  };
  const offset = Math.round(items / 2);
  for (let round = 0; round < ROUNDS; round += 1) {
    // The first one of each round counts all items, since all have changed.
    const first = await longestBlock(() => marked.list({ limit: PAGE, offset }));
    const page = await longestBlock(() => marked.list({ limit: PAGE, offset }));
    for (let times = 0; times < PAGES; times += 1) {
      const startedMs = performance.now();
      await marked.list({ limit: PAGE, offset });
      add("offset 250,000, ms", performance.now() - startedMs);
    }
    const markAll = await longestBlock(() => marked.markAllRead());
    const removeMarked = await removeAll(marked, items);
    const removeSingly = await removeAll(singly, items);
    add("offset 250,000, first page, ms", first.tookMs);
    add("mark-all-read, ms", markAll.tookMs);
    add("delete-all-read, ms", removeMarked.tookMs);
    add("of singly read items, ms", removeSingly.tookMs);
    add("delete-all-read ÷ mark-all-read", removeMarked.tookMs / markAll.tookMs);
    const all = [first, page, removeMarked, removeSingly];
    add("longest block, deleting, ms", Math.max(removeMarked.longestMs, removeSingly.longestMs));
    add("longest block, ms", Math.max(...all.map(({ longestMs }) => longestMs)));
    add("longest block, with waiting for a processor, ms", Math.max(...all.map(({ longestWithQueueMs }) => longestWithQueueMs)));
    add("most CPU in a block, ms", Math.max(...all.map(({ mostCpuMs }) => mostCpuMs)));
    await reset();
  }
  return samples;
}

async function onSqlite(scale: Scale): Promise<Figures> {
  const setting = await SqliteSetting.open();
  const service = await setting.belfry("belfry.db", UNCACHED);
  const raw = setting.raw("belfry.db");
  const items = scale.of(ITEMS);
  for (const filling of FILLINGS) {
    fillSqlite(raw, { ...filling, items });
  }
  const inboxes = { marked: service.inbox("marked"), singly: service.inbox("singly"), items, reset: () => raw.exec(undo("", items)) };
  const samples = await measure(inboxes);
  const knobs = setting.knobs("belfry.db");
  await setting.close();
  return { samples, knobs };
}

async function onPostgres(scale: Scale): Promise<Figures> {
  const setting = await PostgresSetting.open();
  const { service, pool } = await setting.belfry("belfry", 1, UNCACHED);
  const items = scale.of(ITEMS);
  for (const filling of FILLINGS) {
    await fillPostgres(pool, "belfry", { ...filling, items });
  }
  const reset = async () => {
    await pool.query(undo("belfry.", items));
    await pool.query("VACUUM ANALYZE");
  };
  const samples = await measure({ marked: service.inbox("marked"), singly: service.inbox("singly"), items, reset });
  const knobs = await setting.knobs();
  await setting.close();
  return { samples, knobs };
}

const goals: readonly FigureGoal[] = [
  { figure: "delete-all-read ÷ mark-all-read", atMost: 2 },
  { figure: "offset 250,000, ms", unit: "ms", atMost: 5 },
];

export const row: Row = {
  id: "3g",
  what: "Delete-all-read of 500,000, and a page behind an offset of 250,000",
  cases: [
    { name: "SQLite", goals: [...goals, { figure: "longest block, ms", unit: "ms", atMost: 25 }], figures: onSqlite },
    { name: "PostgreSQL", goals, figures: onPostgres },
  ],
};
