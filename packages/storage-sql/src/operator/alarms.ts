import type { AlarmStorage, StoredAlarm } from "@belfry/core/storage";
import { type RowOf, type Sql, selected } from "../database/sql.ts";

type AlarmRow = RowOf<StoredAlarm>;

/** Alarms in a SQL database. The turn to look at a tenant's channels is a row beside them. */
export function alarmStorage(sql: Sql): AlarmStorage {
  const { alarms } = sql.tables;
  const columns = columnsOf(sql);
  const at = (parameter: string) => sql.cast(parameter, "timestamptz");
  const own = "tenant, kind, channel, id, state, value, line, raised_at, ended_at, told_at, due_at, tries";
  const takeTurn = `INSERT INTO ${alarms} (${own}) VALUES ($1, '', '', ${sql.cast("$2", "uuid")}, 'turn', 0, 0, ${at("$3")}, NULL, ${at("$3")}, ${at("$4")}, 0)
    ON CONFLICT (tenant, kind, channel) DO UPDATE SET due_at = ${at("$4")} WHERE ${alarms}.due_at <= ${at("$3")} RETURNING id`;
  const raise = `INSERT INTO ${alarms} (${own}) VALUES ($1, $2, $3, ${sql.cast("$4", "uuid")}, 'raised', $5, $6, ${at("$7")}, NULL, NULL, ${at("$7")}, 0)
    ON CONFLICT (tenant, kind, channel) DO UPDATE SET id = excluded.id, state = 'raised', value = excluded.value, line = excluded.line,
      raised_at = excluded.raised_at, ended_at = NULL, told_at = NULL, due_at = excluded.due_at, tries = 0
    WHERE ${alarms}.state = 'ended' RETURNING id`;
  const end = `UPDATE ${alarms} SET id = ${sql.cast("$4", "uuid")}, state = 'ended', value = $5, line = $6, ended_at = ${at("$7")}, told_at = NULL,
      due_at = ${at("$7")}, tries = 0
    WHERE tenant = $1 AND kind = $2 AND channel = $3 AND state = 'raised' RETURNING id`;
  const raised = `SELECT ${columns} FROM ${alarms} WHERE tenant = $1 AND state = 'raised' ORDER BY channel, kind`;
  const untold = `SELECT a.id FROM ${alarms} a WHERE a.told_at IS NULL AND a.due_at <= ${at("$1")} AND a.tries < $3 ORDER BY a.due_at LIMIT 1 ${sql.skipLocked("a")}`;
  const takeUntold = `UPDATE ${alarms} SET due_at = ${at("$2")}, tries = tries + 1 WHERE id = (${untold}) RETURNING ${columns}`;
  const told = `UPDATE ${alarms} SET told_at = ${at("$2")} WHERE id = ${sql.cast("$1", "uuid")} AND told_at IS NULL RETURNING id`;
  const has = async (name: string, text: string, values: readonly unknown[]) => (await sql.rows(name, text, values)).length > 0;
  return {
    takeTurn: (tenant, now, until) => has("take_alarm_turn", takeTurn, [tenant, TURN, now, until]),
    raise: ({ tenant, kind, channel, id, value, line, at: now }) =>
      has("raise_alarm", raise, [tenant, kind, channel, id, value, line, now]),
    end: ({ tenant, kind, channel, id, value, line, at: now }) => has("end_alarm", end, [tenant, kind, channel, id, value, line, now]),
    async raised(tenant) {
      return (await sql.rows<AlarmRow>("raised_alarms", raised, [tenant])).map(toAlarm);
    },
    async takeUntold(now, { leaseMs, maxTimes }) {
      const [row] = await sql.rows<AlarmRow>("take_untold_alarm", takeUntold, [now, new Date(now.getTime() + leaseMs), maxTimes]);
      return row === undefined ? null : toAlarm(row);
    },
    told: (id, now) => has("told_alarm", told, [id, now]),
  };
}

/** The id of the rows that are turns. Nobody asks for them by it. */
const TURN = "00000000-0000-7000-8000-000000000000";

function columnsOf(sql: Sql): string {
  return selected({
    ...{ id: "id", tenant: "tenant", kind: "kind", channel: "channel", state: "state", value: "value", line: "line" },
    ...{ raisedAt: sql.milliseconds("raised_at"), endedAt: sql.milliseconds("ended_at") },
  });
}

function toAlarm({ raisedAt, endedAt, ...row }: AlarmRow): StoredAlarm {
  return { ...row, raisedAt: new Date(raisedAt), endedAt: endedAt === null ? null : new Date(endedAt) };
}
