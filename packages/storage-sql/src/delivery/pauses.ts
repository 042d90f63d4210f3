import type { PausedPlace } from "@belfry/core";
import { BY_OPERATOR, type HoldsStorage, type StoredPause } from "@belfry/core/storage";
import { type Sql, selected } from "../database/sql.ts";

/** Without a channel or a recipient, the column is empty. Times in milliseconds. */
interface PauseRow extends Pick<StoredPause, "tenant" | "actor" | "detail"> {
  readonly channel: string;
  readonly recipient: string;
  readonly pausedAt: number;
  readonly resumedAt: number | null;
}

type PauseStorage = Pick<HoldsStorage, "pauses" | "pause" | "resume" | "release" | "forgetPause" | "erasePauses">;

/** Pauses in a SQL database. */
export function pauseStorage(sql: Sql): PauseStorage {
  return { ...keeping(sql), release: releasing(sql) };
}

function keeping(sql: Sql): Omit<PauseStorage, "release"> {
  const { pauses } = sql.tables;
  const columns = selected({
    ...{ tenant: "p.tenant", channel: "p.channel", recipient: "p.recipient", actor: "p.actor", detail: "p.detail" },
    ...{ pausedAt: sql.milliseconds("p.paused_at"), resumedAt: sql.milliseconds("p.resumed_at") },
  });
  const all = `SELECT ${columns} FROM ${pauses} p ORDER BY p.tenant, p.channel, p.recipient`;
  // One that still releases what it held back is paused anew.
  const pause = `INSERT INTO ${pauses} (tenant, channel, recipient, actor, detail, paused_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant, channel, recipient) DO UPDATE
      SET actor = excluded.actor, detail = excluded.detail, paused_at = excluded.paused_at, resumed_at = NULL
      WHERE ${pauses}.resumed_at IS NOT NULL RETURNING tenant`;
  const ofPlace = "tenant = $1 AND channel = $2 AND recipient = $3";
  const resume = `UPDATE ${pauses} SET resumed_at = $4 WHERE ${ofPlace} AND resumed_at IS NULL RETURNING tenant`;
  const forget = `DELETE FROM ${pauses} WHERE ${ofPlace} AND resumed_at = $4 RETURNING tenant`;
  const erase = [
    `DELETE FROM ${pauses} WHERE tenant = $1 AND recipient = $2`,
    `UPDATE ${pauses} SET actor = '' WHERE tenant = $1 AND actor = $2`,
  ];
  return {
    async pauses() {
      return (await sql.rows<PauseRow>("pauses", all, [])).map(toPause);
    },
    async pause(tenant, { actor, detail, pausedAt, ...place }) {
      return (await sql.rows("pause", pause, [tenant, ...columnsOf(place), actor, detail, pausedAt])).length > 0;
    },
    async resume(tenant, place, at) {
      return (await sql.rows("resume", resume, [tenant, ...columnsOf(place), at])).length > 0;
    },
    async forgetPause({ tenant, resumedAt, ...place }) {
      await sql.rows("forget_pause", forget, [tenant, ...columnsOf(place), resumedAt]);
    },
    async erasePauses({ tenant, userId }) {
      await sql.inTransaction("erase_pauses", erase, [tenant, userId]);
    },
  };
}

function releasing(sql: Sql): PauseStorage["release"] {
  const texts = {
    tenant: releaseText(sql, ""),
    channel: releaseText(sql, " AND d.channel = $4"),
    endpoint: releaseText(sql, " AND d.channel = $4 AND d.recipient = $5"),
  };
  return async ({ tenant, channel, recipient }, limit, at) => {
    const kind = channel === null ? "tenant" : recipient === null ? "channel" : "endpoint";
    const place = [channel, recipient].filter((name) => name !== null);
    return (await sql.rows(`release_${kind}`, texts[kind], [tenant, at, limit, ...place])).length;
  };
}

/**
 * Makes deliveries due that are held back, along an index of them alone, in the order of their notifications. $1 the tenant, $2 the time, $3 how many; a
 * place follows.
 */
function releaseText(sql: Sql, ofPlace: string): string {
  const { deliveries } = sql.tables;
  // A worker may be looking at one at this moment.
  const isFree = `${sql.unindexed("d.status")} = 'pending' AND d.lease_owner IS NULL`;
  const oldest = `SELECT d.pk FROM ${deliveries} d WHERE d.tenant = $1 AND d.reason_source = '${BY_OPERATOR}'${ofPlace} AND ${isFree}
    ORDER BY d.notification_pk LIMIT $3 ${sql.skipLocked("d")}`;
  return `WITH oldest AS MATERIALIZED (${oldest})
    UPDATE ${deliveries} SET due_at = $2, reason = CASE WHEN reason = 'paused' THEN NULL ELSE reason END, reason_source = NULL
    WHERE pk IN (SELECT pk FROM oldest) RETURNING id`;
}

function columnsOf({ channel, recipient }: PausedPlace): readonly [channel: string, recipient: string] {
  return [channel ?? "", recipient ?? ""];
}

function toPause({ channel, recipient, pausedAt, resumedAt, ...row }: PauseRow): StoredPause {
  const place = { channel: channel === "" ? null : channel, recipient: recipient === "" ? null : recipient };
  return { ...row, ...place, pausedAt: new Date(pausedAt), resumedAt: resumedAt === null ? null : new Date(resumedAt) };
}
