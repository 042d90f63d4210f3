import { createHash } from "node:crypto";
import type { DecisionsStorage, ThrottleQuestion } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

/** Microseconds: the parts of a throttle's time are seldom whole milliseconds. */
const MICROS = 1_000;

type Place = Pick<ThrottleQuestion, "userId" | "type" | "channel">;

/** The throttles of types in a SQL database: one row for each user, type and channel that used one lately. */
export function throttlesOf(sql: Sql): Pick<DecisionsStorage, "useThrottles" | "throttleFreeAt" | "pruneThrottles"> {
  const { throttles } = sql.tables;
  const [tenant, at, step, per] = [sql.cast("$1", "text"), ...(["$3", "$4", "$5"] as const).map((one) => sql.cast(one, "bigint"))];
  const from = `CASE WHEN t.free_at > ${at} THEN t.free_at ELSE ${at} END`;
  // In the order of the key, so that two calls never wait for each other.
  const use = `INSERT INTO ${throttles} AS t (tenant, user_id, place, free_at)
    SELECT ${tenant}, value ->> 0, value ->> 1, ${at} + ${step} FROM ${sql.elements("$2")} WHERE true ORDER BY 2, 3
    ON CONFLICT (tenant, user_id, place) DO UPDATE SET free_at = ${from} + ${step} WHERE ${from} + ${step} - ${at} <= ${per}
    RETURNING user_id AS "userId", place`;
  const find = `SELECT free_at AS "freeAt" FROM ${throttles} WHERE tenant = $1 AND user_id = $2 AND place = $3`;
  return {
    async useThrottles(of, questions, time) {
      const allowed = new Set<string>();
      const keyOf = (userId: string, place: string) => `${userId}\u0000${place}`;
      for (const [key, alike] of Map.groupBy(questions, ({ max, perMs }) => `${max} ${perMs}`)) {
        const [max = 1, perMs = 0] = key.split(" ").map(Number);
        const places = JSON.stringify(alike.map((question) => [question.userId, placeOf(question)]));
        const values = [of, places, time.getTime() * MICROS, Math.floor((perMs * MICROS) / max), perMs * MICROS];
        for (const { userId, place } of await sql.rows<{ readonly userId: string; readonly place: string }>("use_throttles", use, values)) {
          allowed.add(keyOf(userId, place));
        }
      }
      return questions.map((question) => allowed.has(keyOf(question.userId, placeOf(question))));
    },
    async throttleFreeAt(owner, of) {
      const place = placeOf({ ...of, userId: owner.userId });
      const [row] = await sql.rows<{ readonly freeAt: number }>("throttle_free_at", find, [owner.tenant, owner.userId, place]);
      return row === undefined ? null : row.freeAt / MICROS;
    },
    async pruneThrottles(time) {
      await sql.inStep("prune_throttles", [`DELETE FROM ${throttles} WHERE free_at <= $1`], [time.getTime() * MICROS]);
    },
  };
}

function placeOf({ type, channel }: Place): string {
  return createHash("sha256").update(`${type}\u0000${channel}`).digest("hex");
}
