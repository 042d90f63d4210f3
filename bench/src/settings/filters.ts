import type { NotificationService } from "@belfry/core";
import type { Comparison, RatioGoal, Scale, Side } from "../harness/row.ts";
import { UNCACHED } from "./content.ts";
import { each } from "./each.ts";
import { fillPostgres } from "./fill-postgres.ts";
import { fillSqlite } from "./fill-sqlite.ts";
import { PostgresSetting } from "./postgres.ts";
import { SqliteSetting } from "./sqlite.ts";

const PAGE = 20;
const SIZE = 1_000_000;
const TYPE = "order_update";

/** An inbox where nothing is read, and one where everything is. */
const FILLINGS = [
  { users: ["unread"], readShare: 0, type: TYPE },
  { users: ["read"], readShare: 1, type: TYPE },
] as const;

/** The lists, by inbox and filter, and whether all items match it or none. */
const LISTS = {
  "all of the type": { userId: "unread", filter: { type: TYPE }, rows: PAGE },
  "none of the type": { userId: "unread", filter: { type: "mention" }, rows: 0 },
  "all of the priority": { userId: "unread", filter: { priority: "normal" }, rows: PAGE },
  "none of the priority": { userId: "unread", filter: { priority: "urgent" }, rows: 0 },
  "all unread": { userId: "unread", filter: { status: "unread" }, rows: PAGE },
  "none read": { userId: "unread", filter: { status: "read" }, rows: 0 },
  "all read": { userId: "read", filter: { status: "read" }, rows: PAGE },
  "none unread": { userId: "read", filter: { status: "unread" }, rows: 0 },
} as const;

/** The page without a filter that all others are measured against. */
const UNFILTERED = "no filter";

/** Every filtered page may take three times as long as one without a filter. */
export const FILTER_GOALS: readonly RatioGoal[] = Object.keys(LISTS).map((of) => ({
  ratio: "rate",
  of,
  against: UNFILTERED,
  atLeast: 1 / 3,
}));

function sidesOf(service: NotificationService): readonly Side[] {
  const lists = { ...LISTS, [UNFILTERED]: { userId: "unread", filter: {}, rows: PAGE } };
  return Object.entries(lists).map(([name, { userId, filter, rows }]): Side => {
    const inbox = service.inbox(userId);
    const run = (count: number) =>
      each(count, async () => {
        const { items } = await inbox.list({ ...filter, limit: PAGE });
        if (items.length !== rows) {
          throw new Error(`The list "${name}" was to have ${rows} items and has ${items.length}.`);
        }
      });
    return { name, run };
  });
}

export async function compareSqliteFilters(scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const service = await setting.belfry("belfry.db", UNCACHED);
  const raw = setting.raw("belfry.db");
  for (const filling of FILLINGS) {
    fillSqlite(raw, { ...filling, items: scale.of(SIZE) });
  }
  return { sides: sidesOf(service), knobs: setting.knobs("belfry.db"), close: () => setting.close() };
}

export async function comparePostgresFilters(scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const { service, pool } = await setting.belfry("belfry", 1, UNCACHED);
  for (const filling of FILLINGS) {
    await fillPostgres(pool, "belfry", { ...filling, items: scale.of(SIZE) });
  }
  return { sides: sidesOf(service), knobs: await setting.knobs(), serverPid: await setting.serverPid(), close: () => setting.close() };
}
