import type { NotificationService, SearchInput } from "@belfry/core";
import type { FigureGoal, Figures, Row, Scale } from "../harness/row.ts";
import { SPREAD_MS } from "../settings/content.ts";
import { fillPostgres } from "../settings/fill-postgres.ts";
import { fillSqlite } from "../settings/fill-sqlite.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { SqliteSetting } from "../settings/sqlite.ts";
import { usersOf } from "../settings/users.ts";

const ITEMS = 1_000_000;
const ROUNDS = 3;
const AT_MOST_MS = 100;

/** Searches of which none finds anything. */
const SEARCHES: Readonly<Record<string, SearchInput>> = {
  "an unknown type": { type: "no_such_type" },
  "an unknown recipient": { recipient: "nobody" },
  "an unknown recipient and a known type": { recipient: "nobody", type: "comment" },
  "sends that failed": { status: "failed" },
  "another channel": { channel: "email" },
  events: { kind: "event" },
  "before the first": { before: new Date(Date.now() - 2 * SPREAD_MS) },
  "an unknown type in one week": {
    type: "no_such_type",
    from: new Date(Date.now() - SPREAD_MS / 2),
    before: new Date(Date.now() - SPREAD_MS / 2 + 7 * 86_400_000),
  },
};

const GOALS: readonly FigureGoal[] = Object.keys(SEARCHES).map((name) => ({ figure: `${name}, ms`, unit: "ms", atMost: AT_MOST_MS }));

async function measure(service: NotificationService): Promise<Figures["samples"]> {
  const samples: Record<string, number[]> = {};
  for (const [name, input] of Object.entries(SEARCHES)) {
    for (let round = 0; round < ROUNDS; round += 1) {
      const startedMs = performance.now();
      const { notifications } = await service.operator.search(input);
      const tookMs = performance.now() - startedMs;
      if (notifications.length > 0) {
        throw new Error(`The search for ${name} was to find nothing, and found ${notifications.length}.`);
      }
      samples[`${name}, ms`] = [...(samples[`${name}, ms`] ?? []), tookMs];
    }
  }
  return samples;
}

async function onSqlite(scale: Scale): Promise<Figures> {
  const setting = await SqliteSetting.open();
  const service = await setting.belfry("belfry.db");
  fillSqlite(setting.raw("belfry.db"), { items: scale.of(ITEMS), users: usersOf(10_000) });
  const figures = { samples: await measure(service), knobs: setting.knobs("belfry.db") };
  await setting.close();
  return figures;
}

async function onPostgres(scale: Scale): Promise<Figures> {
  const setting = await PostgresSetting.open();
  const { service, pool } = await setting.belfry("belfry", 2);
  await fillPostgres(pool, "belfry", { items: scale.of(ITEMS), users: usersOf(10_000) });
  const figures = { samples: await measure(service), knobs: await setting.knobs() };
  await setting.close();
  return figures;
}

export const row: Row = {
  id: "8b",
  what: "Operator's search that finds nothing, among 1,000,000",
  cases: [
    { name: "SQLite", goals: GOALS, figures: onSqlite },
    { name: "PostgreSQL", goals: GOALS, figures: onPostgres },
  ],
};
