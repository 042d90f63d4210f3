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

interface SampleRow extends Waiting {
  readonly channel: string;
  readonly part: number;
}

/** What waited at the beginning of minutes. The row without tenant and channel is that of whoever looks: `due` is 1 once all is written. */
export function backlogSamples(sql: Sql, countAll: CountAllWaiting): Pick<HealthStorage, "sampleBacklog" | "backlogs" | "pruneBacklogs"> {
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
  const prune = `DELETE FROM ${samples} WHERE minute < ${minute("$1")} RETURNING minute`;
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
      await sql.rows("prune_backlogs", prune, [before]);
    },
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
