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
const FILLINGS = [
  { users: ["read"], readShare: 1 },
  { users: ["unread"], readShare: 0 },
] as const;

/** Undoes what both did, in the tables of a schema. */
const undo = (prefix: string, items: number) => `
  UPDATE ${prefix}belfry_inbox_items SET deleted_at = NULL WHERE tenant = 'default' AND user_id = 'read';
  UPDATE ${prefix}belfry_inbox_counters SET total = ${items} WHERE tenant = 'default' AND user_id = 'read';
  DELETE FROM ${prefix}belfry_read_marks;
  UPDATE ${prefix}belfry_inbox_counters SET unread = ${items}, read_up_to_seq = 0 WHERE tenant = 'default' AND user_id = 'unread';`;

interface Inboxes {
  readonly read: Inbox;
  readonly unread: Inbox;
  readonly items: number;
  reset(): unknown;
}

async function measure({ read, unread, items, reset }: Inboxes): Promise<Figures["samples"]> {
  const samples: Record<string, number[]> = {};
  const add = (name: string, value: number) => {
    samples[name] = [...(samples[name] ?? []), value];
  };
  const offset = Math.round(items / 2);
  for (let round = 0; round < ROUNDS; round += 1) {
    const page = await longestBlock(() => unread.list({ limit: PAGE, offset }));
    const markAll = await longestBlock(() => unread.markAllRead());
    let removed = 0;
    const removeRead = await longestBlock(async () => {
      removed = await read.removeRead();
    });
    if (removed !== items) {
      throw new Error(`${items} items were to be deleted, and ${removed} were.`);
    }
    add("offset 250,000, ms", page.tookMs);
    add("mark-all-read, ms", markAll.tookMs);
    add("delete-all-read, ms", removeRead.tookMs);
    add("delete-all-read ÷ mark-all-read", removeRead.tookMs / markAll.tookMs);
    add("longest block, ms", Math.max(page.blockMs, removeRead.blockMs));
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
  const inboxes = { read: service.inbox("read"), unread: service.inbox("unread"), items, reset: () => raw.exec(undo("", items)) };
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
  const samples = await measure({ read: service.inbox("read"), unread: service.inbox("unread"), items, reset });
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
