import type { OpenAudience, TopicSource } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { muted, placesOf } from "./topic-audiences.ts";

/** The users that a step looks at, as SQL: rows of `user_id` and `is_wanted`, 1 for who gets an item and else 0, sorted bytewise. */
export interface LookedAt {
  readonly text: string;
  /** How many it looks at, as SQL: if there are fewer, nobody is left. */
  readonly limit: string;
}

/** Whose users are looked at, and how many of them. */
export interface Looking {
  readonly sql: Sql;
  readonly audience: OpenAudience;
  readonly limit: number;
}

/**
 * Looks at the next users of an audience that has no deliveries. Each part is read by its key, as far as is needed, whoever of it gets an
 * item: so a step is short also where nobody does.
 *
 * @param add keeps a value of the statement, and answers with its parameter
 */
export function lookedAt({ sql, audience, limit: size }: Looking, add: (value: unknown) => `$${number}`): LookedAt {
  const { notification, source, after } = audience;
  const { parts, users, except, required } = source;
  const [tenant, from, limit] = [add(notification.tenant), add(after ?? ""), add(size)];
  const isExcept = except.length === 0 ? null : `(SELECT ${sql.bytewise("e.value")} FROM ${sql.texts(add(JSON.stringify(except)))})`;
  const flag = (part: string, conditions: readonly string[]) => {
    const all = [...conditions, ...(isExcept === null ? [] : [`${part}.user_id NOT IN ${isExcept}`])];
    return all.length === 0 ? "1" : `CASE WHEN ${all.join(" AND ")} THEN 1 ELSE 0 END`;
  };
  const ofPart = ({ topic, isDeepOnly, mutedBy }: TopicSource["parts"][number], index: number) => {
    const part = `p${index}`;
    const subscribed = `SELECT tenant, user_id, is_deep, channels FROM ${sql.tables.subscriptions}
      WHERE tenant = ${tenant} AND topic = ${add(topic)} AND user_id > ${from} ORDER BY user_id LIMIT ${limit}`;
    // Each choice once: to look for one costs each member.
    const isMuted = () => muted(sql.tables.choices, part, [...new Set(placesOf(mutedBy))].map(add));
    const isMeant = `(${part}.channels IS NULL OR ${sql.hasText(`${part}.channels`, "'inbox'")})`;
    const wants = required.includes("inbox") ? [] : [isMeant, `NOT ${isMuted()}`];
    const isWanted = flag(part, [...(isDeepOnly ? [`${part}.is_deep`] : []), ...wants]);
    return `SELECT ${part}.user_id, ${isWanted} AS is_wanted FROM (${subscribed}) ${part}`;
  };
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0 && users.length === 0) {
    return { text: ofPart(only, 0), limit };
  }
  const named = `SELECT ${sql.bytewise("e.value")} AS user_id, 1 AS is_wanted FROM ${sql.texts(add(JSON.stringify(users)))} WHERE ${sql.bytewise("e.value")} > ${from}`;
  const all = [named, ...parts.map(ofPart)].join(" UNION ALL ");
  return { text: `SELECT user_id, max(is_wanted) AS is_wanted FROM (${all}) m GROUP BY user_id ORDER BY user_id LIMIT ${limit}`, limit };
}

/** Collects the values of a statement. */
export function collected(): { readonly values: readonly unknown[]; add(value: unknown): `$${number}` } {
  const values: unknown[] = [];
  return { values, add: (value) => `$${values.push(value)}` };
}
