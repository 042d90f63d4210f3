import { randomUUID } from "node:crypto";
import type { ItemsTurn, OpenAudience, WrittenMembers } from "@belfry/core/storage";
import { collected, lookedAt, type Sql } from "@belfry/storage-sql";
import type { Connection } from "../database/connection.ts";
import { wrapError } from "../database/errors.ts";
import { ask } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteMany } from "../inbox/write-items.ts";

/** A step of an audience. */
interface Step {
  readonly sql: Sql;
  readonly audience: OpenAudience;
  readonly turn: ItemsTurn;
  /** How many users it looks at. */
  readonly limit: number;
}

/** Writes the items of the next users of an audience, and moves it on. */
export async function writeMembers(connection: Connection, step: Step): Promise<WrittenMembers> {
  try {
    return await connection.part(() => writeStep(connection, step));
  } catch (error) {
    if (wrapError(error).retryable) {
      throw error;
    }
    // The fan-out writes the others, and tells why it cannot write these.
    return { as: "refused" };
  }
}

function writeStep(connection: Connection, { sql, audience, turn: { at, isWanted }, limit }: Step): WrittenMembers {
  const { users, last } = look(connection, { sql, audience, limit });
  const { mark, place } = audience;
  const notificationPk = Number(audience.key);
  const moved = { notificationPk, mark, nextMark: randomUUID(), last, place: place + users.length };
  if (!connection.prepared(prepareMove)(moved)) {
    return { as: "moved" };
  }
  const { tenant, type, category, expiresAt, group, replaceKey, actor } = audience.notification;
  const items = { tenant, notificationPk, type, createdAt: at, category, expiresAt, group, replaceKey, actor };
  return { as: "written", items: users.length === 0 ? [] : connection.prepared(prepareWriteMany)(items, users, isWanted) };
}

/** The next users who get an item, and the last one who was looked at; null when nobody is left. */
function look(connection: Connection, step: Omit<Step, "turn">): { readonly users: readonly string[]; readonly last: string | null } {
  const { values, add } = collected();
  const { text, limit } = lookedAt(step, add);
  const [row] = ask<{ readonly users: string; readonly last: string | null }>(
    connection,
    `SELECT json_group_array(user_id) FILTER (WHERE is_wanted = 1) AS users, CASE WHEN count(*) = ${limit} THEN max(user_id) END AS last FROM (${text})`,
    values,
  );
  return { users: JSON.parse(row?.users ?? "[]") as readonly string[], last: row?.last ?? null };
}

interface Moved {
  readonly notificationPk: number;
  readonly mark: string;
  readonly nextMark: string;
  readonly last: string | null;
  readonly place: number;
}

/** Moves an audience on. Returns false if somebody else has done so. */
function prepareMove({ prepare }: QueryContext) {
  const move = prepare<Moved>(`
    UPDATE belfry_audiences SET mark = :nextMark, after_user = :last, place = :place, source = CASE WHEN :last IS NULL THEN NULL ELSE source END
    WHERE notification_pk = :notificationPk AND mark = :mark AND source IS NOT NULL`);
  return (moved: Moved): boolean => move.run(moved).changes > 0;
}
