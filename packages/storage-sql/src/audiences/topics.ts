import type { Subscription, TopicsStorage } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { leaveAudiences, topicAudiences } from "./topic-audiences.ts";

/** A row of a subscription: SQLite has booleans as numbers. */
interface SubscriptionRow extends Pick<Subscription, "topic" | "userId"> {
  readonly isDeep: boolean | number;
  readonly channels: string | null;
  readonly createdAt: number;
}

/** Topics and their subscriptions in a SQL database, but for what each database writes in its own way. */
export function sharedTopics(sql: Sql, sizes: Pick<TopicsStorage, "partDeliveries" | "partsOfStep">): Omit<TopicsStorage, "writeMembers"> {
  return { ...sizes, ...writingOf(sql), ...readingOf(sql), ...listingOf(sql), ...topicAudiences(sql) };
}

const OF_TOPIC = "s.tenant = $1 AND s.topic = $2";
const OF_USER = "s.tenant = $1 AND s.user_id = $2";

function writingOf(sql: Sql): Pick<TopicsStorage, "subscribe" | "unsubscribe" | "erase"> {
  const { subscriptions } = sql.tables;
  // In order, so that two calls about the same users never wait for each other.
  const named = `SELECT s.user_id FROM ${subscriptions} s WHERE ${OF_TOPIC} AND ${sql.isIn("s.user_id", "$3", "text")} ORDER BY s.user_id ${sql.forUpdate("s")}`;
  const add = `INSERT INTO ${subscriptions} (tenant, topic, user_id, is_deep, channels, created_at)
    SELECT $1, $2, e.value, ${sql.cast("$4", "boolean")}, ${sql.cast("$5", "text")}, ${sql.cast("$6", "timestamptz")} FROM ${sql.texts("$3")} WHERE true
    ON CONFLICT (tenant, topic, user_id) DO NOTHING RETURNING user_id`;
  const change = (assignments: readonly string[]) =>
    `UPDATE ${subscriptions} AS u SET ${assignments.join(", ")} WHERE u.tenant = $1 AND u.topic = $2 AND u.user_id IN (${named}) RETURNING user_id`;
  const remove = `DELETE FROM ${subscriptions} AS u WHERE u.tenant = $1 AND u.topic = $2 AND u.user_id IN (${named}) RETURNING user_id`;
  const erased = `DELETE FROM ${subscriptions} AS u WHERE u.tenant = $1 AND u.user_id = $2
    AND u.topic IN (SELECT s.topic FROM ${subscriptions} s WHERE ${OF_USER} ORDER BY s.topic LIMIT $3) RETURNING topic`;
  return {
    async subscribe({ tenant, topic }, userIds, { deep, channels, at }) {
      const list = channels === undefined || channels === null ? null : JSON.stringify(channels);
      const about = [tenant, topic, JSON.stringify(userIds)];
      const added = await sql.rows("subscribe", add, [...about, deep ?? false, list, at]);
      const given = [
        { column: "is_deep", type: "boolean", value: deep },
        { column: "channels", type: "text", value: channels === undefined ? undefined : list },
      ] as const;
      const changes = given.filter(({ value }) => value !== undefined);
      if (changes.length > 0 && added.length < userIds.length) {
        const assignments = changes.map(({ column, type }, index) => `${column} = ${sql.cast(`$${index + 4}`, type)}`);
        await sql.rows("change_subscriptions", change(assignments), [...about, ...changes.map(({ value }) => value)]);
      }
      return added.length;
    },
    async unsubscribe({ tenant, topic }, userIds) {
      return (await sql.rows("unsubscribe", remove, [tenant, topic, JSON.stringify(userIds)])).length;
    },
    async erase({ tenant, userId }, limit) {
      const removed = (await sql.rows("erase_subscriptions", erased, [tenant, userId, limit])).length;
      if (removed >= limit) {
        return { removed, isDone: false };
      }
      await leaveAudiences(sql, { tenant, userId });
      return { removed, isDone: true };
    },
  };
}

function readingOf(sql: Sql): Pick<TopicsStorage, "subscribers" | "subscriptions" | "export"> {
  const { subscriptions } = sql.tables;
  const columns = `s.topic, s.user_id AS "userId", s.is_deep AS "isDeep", s.channels, ${sql.milliseconds("s.created_at")} AS "createdAt"`;
  const ofTopic = `SELECT ${columns} FROM ${subscriptions} s WHERE ${OF_TOPIC} AND s.user_id > $3 ORDER BY s.user_id LIMIT $4`;
  const ofUser = (and: string) =>
    `SELECT ${columns} FROM ${subscriptions} s WHERE ${OF_USER} AND s.topic > $3${and} ORDER BY s.topic LIMIT $4`;
  const below = ofUser(" AND (s.topic = $5 OR (s.topic >= $6 AND s.topic < $7))");
  const read = async (name: string, text: string, values: readonly unknown[]) =>
    (await sql.rows<SubscriptionRow>(name, text, values)).map(toSubscription);
  return {
    subscribers: ({ tenant, topic }, { after, limit }) => read("subscribers", ofTopic, [tenant, topic, after ?? "", limit]),
    subscriptions({ tenant, userId }, { prefix, after, limit }) {
      const values = [tenant, userId, after ?? "", limit];
      return prefix === null
        ? read("subscriptions", ofUser(""), values)
        : read("subscriptions_below", below, [...values, prefix, ...rangeBelow(prefix)]);
    },
    async export({ tenant, userId }, { after, limit }) {
      const found = await read("export_subscriptions", ofUser(""), [tenant, userId, after ?? "", limit]);
      const next = found.length < limit ? null : (found.at(-1)?.topic ?? null);
      return { records: found.map(({ userId: _, ...subscription }) => subscription), next };
    },
  };
}

function listingOf(sql: Sql): Pick<TopicsStorage, "topics"> {
  const { subscriptions } = sql.tables;
  // From topic to topic by the index, however many subscribers each has.
  const within = (above: string) => `s.tenant = $1 AND s.topic > ${above} AND ($4 = '' OR s.topic < $4)`;
  const next = (above: string) => `(SELECT s.topic FROM ${subscriptions} s WHERE ${within(above)} ORDER BY s.topic LIMIT 1)`;
  const walk = `WITH RECURSIVE t(topic) AS (SELECT ${next("$2")} UNION ALL SELECT ${next("t.topic")} FROM t WHERE t.topic IS NOT NULL)
    SELECT topic FROM t WHERE topic IS NOT NULL LIMIT $3`;
  const is = `SELECT s.topic FROM ${subscriptions} s WHERE ${OF_TOPIC} LIMIT 1`;
  return {
    async topics(tenant, { prefix, after, limit }) {
      const [first, end] = prefix === null ? ["", ""] : rangeBelow(prefix);
      const isFirst = prefix !== null && (after === null || after < prefix);
      const own = isFirst ? await sql.rows<{ readonly topic: string }>("topic", is, [tenant, prefix]) : [];
      const from = after !== null && after > first ? after : first;
      const found = await sql.rows<{ readonly topic: string }>("topics", walk, [tenant, from, limit - own.length, end]);
      return [...own, ...found].map(({ topic }) => topic);
    },
  };
}

/** The bounds of the topics below a path: the first one is no topic itself, and the last is one no more. */
function rangeBelow(prefix: string): readonly [first: string, end: string] {
  // The character after the slash in ASCII.
  return [`${prefix}/`, `${prefix}0`];
}

function toSubscription({ topic, userId, isDeep, channels, createdAt }: SubscriptionRow): Subscription {
  return {
    ...{ topic, userId, deep: Boolean(isDeep) },
    channels: channels === null ? null : (JSON.parse(channels) as readonly string[]),
    createdAt: new Date(createdAt),
  };
}
