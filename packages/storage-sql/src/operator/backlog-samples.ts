import type { BacklogBucket, WaitingState } from "@belfry/core";
import type { BacklogHistory, HealthStorage, HealthWindow } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { type ChannelWaiting, partOf } from "./channel-health.ts";

/** Deliveries of a tenant's channel that wait in one state. */
export interface TenantWaiting extends ChannelWaiting {
  readonly tenant: string;
}

/** Counts up to `most` deliveries of all tenants that wait, those that are due first before others. */
export type CountAllWaiting = (at: Date, most: number) => Promise<readonly TenantWaiting[]>;

type Waiting = Record<WaitingState, number>;
type Samples = Pick<HealthStorage, "sampleBacklog" | "backlogs" | "foldBacklogs" | "pruneBacklogs">;

const HALF_HOUR_MS = 30 * 60_000;
/** How many rows one step folds or removes: a few milliseconds' work. */
const STEP = 500;

interface UnfoldedRow extends Waiting {
  readonly tenant: string;
  readonly channel: string;
  readonly minuteMs: number;
}

interface SampleRow extends Waiting {
  readonly channel: string;
  readonly part: number;
}

/** What waited at the beginning of minutes. The row without tenant and channel is that of whoever looks: `due` is 1 once all is written. */
export function backlogSamples(sql: Sql, countAll: CountAllWaiting): Samples {
  const { backlogSamples: samples } = sql.tables;
  const minute = (parameter: string) => sql.cast(parameter, "timestamptz");
  const own = "tenant, minute, channel, scheduled, due, retrying, held";
  const take = `INSERT INTO ${samples} (${own}) VALUES ('', ${minute("$1")}, '', 0, 0, 0, 0) ON CONFLICT (tenant, minute, channel) DO NOTHING RETURNING minute`;
  const member = (place: number) => sql.cast(`(e.value ->> ${place})`, "bigint");
  const write = `INSERT INTO ${samples} (${own})
    SELECT e.value ->> 0, ${minute("$2")}, e.value ->> 1, ${[2, 3, 4, 5].map(member).join(", ")} FROM ${sql.elements("$1")} WHERE true
    ON CONFLICT (tenant, minute, channel) DO NOTHING RETURNING minute`;
  const done = `UPDATE ${samples} SET due = 1 WHERE tenant = '' AND minute = ${minute("$1")} AND channel = '' RETURNING minute`;
  const part = partOf(sql);
  const most = (["scheduled", "due", "retrying", "held"] satisfies WaitingState[]).map((state) => `max(${state}) AS ${state}`).join(", ");
  const read = `SELECT channel, ${part} AS part, ${most} FROM ${samples}
    WHERE tenant IN ('', $1) AND minute >= ${minute("$2")} AND minute < ${minute("$3")} GROUP BY 1, 2`;
  const old = `SELECT tenant, minute, channel FROM ${samples} WHERE minute < ${minute("$1")} ORDER BY minute LIMIT ${STEP}`;
  const prune = `DELETE FROM ${samples} WHERE (tenant, minute, channel) IN (${old}) RETURNING minute`;
  return {
    async sampleBacklog(of, at, limit) {
      if ((await sql.rows("take_backlog_sample", take, [of])).length === 0) {
        return false;
      }
      const rows = rowsOf(await countAll(at, limit));
      await sql.together("write_backlog_sample", [
        { text: write, values: [JSON.stringify(rows), of] },
        { text: done, values: [of] },
      ]);
      return true;
    },
    async backlogs(tenant, window) {
      const [fromMs, { bucketMs, buckets }] = [window.from.getTime(), window];
      const values = [tenant, window.from, new Date(fromMs + buckets * bucketMs), fromMs, bucketMs];
      return historyOf(await sql.rows<SampleRow>("backlogs", read, values), window);
    },
    async pruneBacklogs(before) {
      return (await sql.rows("prune_backlogs", prune, [before])).length === STEP;
    },
    foldBacklogs: folding(sql),
  };
}

/**
 * Folds the minutes of half hours into their first minute. The row of whoever looked is folded after all others of its minute, so it finds the oldest
 * minute that is left. Rows are read first, and the most of them is the same however often they are folded: two processes may do it at once.
 */
function folding(sql: Sql): HealthStorage["foldBacklogs"] {
  const { backlogSamples: samples } = sql.tables;
  const states = ["scheduled", "due", "retrying", "held"] satisfies WaitingState[];
  const unfolded = `minute < ${sql.cast("$1", "timestamptz")} AND ${sql.milliseconds("minute")} % ${HALF_HOUR_MS} <> 0`;
  const columns = `tenant, channel, ${sql.milliseconds("minute")} AS "minuteMs", ${states.join(", ")}`;
  const read = `SELECT ${columns} FROM ${samples}
    WHERE minute >= (SELECT min(minute) FROM ${samples} WHERE tenant = '' AND channel = '' AND ${unfolded}) AND ${unfolded}
    ORDER BY minute, tenant DESC, channel DESC LIMIT ${STEP}`;
  const [tenant, minute, half, channel] = ["e.value ->> 0", sql.asTime("(e.value ->> 1)"), sql.asTime("(e.value ->> 2)"), "e.value ->> 3"];
  const most = states.map((_, at) => `max(${sql.cast(`(e.value ->> ${at + 4})`, "bigint")})`).join(", ");
  const raised = states.map((state) => `${state} = CASE WHEN excluded.${state} > s.${state} THEN excluded.${state} ELSE s.${state} END`);
  const add = `INSERT INTO ${samples} AS s (tenant, minute, channel, ${states.join(", ")})
    SELECT ${tenant}, ${half}, ${channel}, ${most} FROM ${sql.elements("$1")} WHERE true GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (tenant, minute, channel) DO UPDATE SET ${raised.join(", ")} RETURNING minute`;
  const remove = `DELETE FROM ${samples} WHERE (tenant, minute, channel) IN (SELECT ${tenant}, ${minute}, ${channel} FROM ${sql.elements("$1")}) RETURNING minute`;
  return async (before) => {
    const rows = await sql.rows<UnfoldedRow>("unfolded_backlogs", read, [before]);
    if (rows.length === 0) {
      return false;
    }
    const time = (ms: number) => sql.time(new Date(ms));
    const folded = rows.map((row) => {
      const times = [time(row.minuteMs), time(row.minuteMs - (row.minuteMs % HALF_HOUR_MS))];
      return [row.tenant, ...times, row.channel, ...states.map((state) => row[state])];
    });
    const values = [JSON.stringify(folded)];
    const [, removed = []] = await sql.together("fold_backlogs", [
      { text: add, values },
      { text: remove, values },
    ]);
    // Rows of a tenant that is being moved stay: a later step would find them again.
    return removed.length === STEP;
  };
}

/** A row for each channel of each tenant. */
function rowsOf(waiting: readonly TenantWaiting[]): readonly (readonly [tenant: string, channel: string, ...counts: number[]])[] {
  const byPlace = Map.groupBy(waiting, ({ tenant, channel }) => `${tenant}\u0000${channel}`);
  return [...byPlace.values()].flatMap((groups) => {
    const [first] = groups;
    const count = (state: WaitingState) => groups.reduce((sum, group) => sum + (group.state === state ? group.count : 0), 0);
    return first === undefined ? [] : [[first.tenant, first.channel, count("scheduled"), count("due"), count("retrying"), count("held")]];
  });
}

function historyOf(rows: readonly SampleRow[], { buckets }: HealthWindow): BacklogHistory {
  const looked = Array.from({ length: buckets }, () => false);
  const channels = new Map<string, BacklogBucket["waiting"][]>();
  for (const { channel, part, scheduled, due, retrying, held } of rows) {
    if (channel === "") {
      looked[part] = due > 0;
    } else {
      const parts = channels.get(channel) ?? looked.map(() => null);
      channels.set(channel, parts);
      parts[part] = { scheduled, due, retrying, held };
    }
  }
  return { looked, channels: [...channels].map(([channel, parts]) => ({ channel, parts })) };
}
