import { createHash } from "node:crypto";
import { askThrottle, type DecisionsStorage, type NewSend, type ThrottleQuestion } from "@belfry/core/storage";
import type { Dialect, Sql, Tables } from "../database/sql.ts";

/** Microseconds: the parts of a throttle's time are seldom whole milliseconds. */
const MICROS = 1_000;

type Place = Pick<ThrottleQuestion, "userId" | "type" | "channel">;

/** The throttles of types in a SQL database: one row for each user, type and channel that used one lately. */
export function throttlesOf(sql: Sql): Pick<DecisionsStorage, "throttleFreeAt" | "pruneThrottles"> {
  const { throttles } = sql.tables;
  const find = `SELECT free_at AS "freeAt" FROM ${throttles} WHERE tenant = $1 AND user_id = $2 AND place = $3`;
  return {
    async throttleFreeAt(owner, of) {
      const place = placeOf({ ...of, userId: owner.userId });
      const [row] = await sql.rows<{ readonly freeAt: number }>("throttle_free_at", find, [owner.tenant, owner.userId, place]);
      return row === undefined ? null : row.freeAt / MICROS;
    },
    async pruneThrottles(time) {
      // One that a create holds is used again.
      const free = `SELECT t.tenant, t.user_id, t.place FROM ${throttles} t WHERE t.free_at <= $1 ${sql.skipLocked("t")}`;
      const prune = `DELETE FROM ${throttles} WHERE (tenant, user_id, place) IN (${free})`;
      await sql.inStep("prune_throttles", [prune], [time.getTime() * MICROS]);
    },
  };
}

/** A throttle's row: its key, and when it is wholly free again, in microseconds. */
export type ThrottleRow = readonly [tenant: string, userId: string, place: string, freeAt: number];

/** A row that a statement takes its rows from where it has to have been read before a lock. */
interface Guard {
  /** Common table expressions, with `WITH`. */
  readonly expressions: string;
  readonly from: string;
  readonly isThere: string;
}

const NO_GUARD: Guard = { expressions: "", from: "", isThere: "true" };

/**
 * The statements that use throttles within a transaction, each with a list of {@link ThrottleRow} in JSON as $1: `lock` makes the
 * rows that are missing, locks them all in the order of the key, and answers them as they are; `keep` writes them.
 */
export function throttleStatements(
  { throttles }: Pick<Tables, "throttles">,
  { cast, elements }: Pick<Dialect, "cast" | "elements">,
  { expressions, from, isThere }: Guard = NO_GUARD,
): { readonly lock: string; readonly keep: string } {
  const insert = `INSERT INTO ${throttles} AS t (tenant, user_id, place, free_at)
    SELECT value ->> 0, value ->> 1, value ->> 2, ${cast("(value ->> 3)", "bigint")}`;
  const found = "ON CONFLICT (tenant, user_id, place) DO UPDATE SET free_at";
  return {
    lock: `${expressions}${insert} FROM ${from}${elements("$1")} WHERE ${isThere} ORDER BY 1, 2, 3 ${found} = t.free_at RETURNING tenant, user_id, place, free_at`,
    keep: `${insert} FROM ${elements("$1")} WHERE true ${found} = excluded.free_at`,
  };
}

/** What names a throttle's row. */
export type ThrottleKey = readonly [tenant: string, userId: string, place: string];

/** The throttles that a send is to ask. */
export function throttleKeysOf({ notification: { tenant }, throttles }: NewSend): readonly ThrottleKey[] {
  return (throttles?.questions ?? []).map((question) => [tenant, question.userId, placeOf(question)]);
}

/** The throttles that sends are to ask, each once and free, as the rows to lock; null for none. */
export function throttlesToLock(sends: readonly NewSend[]): string | null {
  const rows = new Map<string, ThrottleRow>();
  for (const { notification, throttles } of sends) {
    for (const question of throttles?.questions ?? []) {
      rows.set(keyOf(notification.tenant, question), [notification.tenant, question.userId, placeOf(question), 0]);
    }
  }
  return rows.size === 0 ? null : JSON.stringify([...rows.values()]);
}

/** Asks the locked throttles for each send in turn, and returns the sends as they are to be written, with the rows to keep. */
export function askThrottles(
  sends: readonly NewSend[],
  locked: readonly ThrottleRow[],
): { readonly sends: readonly NewSend[]; readonly kept: string } {
  const rows = new Map(locked.map((row) => [row.slice(0, 3).join("\u0000"), row]));
  const decided = sends.map((send): NewSend => {
    const { notification, throttles } = send;
    if (throttles === null) {
      return send;
    }
    const allowed = throttles.questions.map((question) => {
      const key = keyOf(notification.tenant, question);
      const [, , place, freeAt] = rows.get(key) ?? ["", "", placeOf(question), 0];
      const answer = askThrottle(question, freeAt / MICROS, notification.createdAt.getTime());
      if (answer.isAllowed) {
        rows.set(key, [notification.tenant, question.userId, place, Math.round(answer.freeAt * MICROS)]);
      }
      return answer.isAllowed;
    });
    return throttles.decided(allowed);
  });
  return { sends: decided, kept: JSON.stringify([...rows.values()]) };
}

function keyOf(tenant: string, question: ThrottleQuestion): string {
  return `${tenant}\u0000${question.userId}\u0000${placeOf(question)}`;
}

function placeOf({ type, channel }: Place): string {
  return createHash("sha256").update(`${type}\u0000${channel}`).digest("hex");
}
