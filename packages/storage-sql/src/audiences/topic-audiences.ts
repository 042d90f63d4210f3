import { randomUUID } from "node:crypto";
import { isUuid, type Notification, type Owner } from "@belfry/core";
import type { ActivityStorage, OpenAudience, TopicMember, TopicSource, TopicsStorage } from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import { parsed, type Sql } from "../database/sql.ts";
import { choicePlace } from "../decisions/preferences.ts";
import { PLACE_OF_OTHERS } from "../delivery/fan-out-parts.ts";

/** Audiences with topics in a SQL database, but for what each database writes in its own way. */
export function topicAudiences(sql: Sql): Pick<TopicsStorage, "hasMoreThan" | "findMembers" | "openAudience" | "moveOn"> {
  return { ...findingOf(sql), ...movingOf(sql) };
}

interface MemberRow {
  readonly userId: string;
  /** The place of the topic among the parts; -1 for a user who is named. */
  readonly place: number;
  /** JSON lists of channels, as JSON; null for every channel. */
  readonly channels: readonly string[] | string | null;
}

function findingOf(sql: Sql): Pick<TopicsStorage, "hasMoreThan" | "findMembers"> {
  const { subscriptions } = sql.tables;
  const more = `SELECT s.user_id FROM ${subscriptions} s WHERE s.tenant = $1 AND s.topic = $2 ORDER BY s.user_id LIMIT 1 OFFSET $3`;
  return {
    async hasMoreThan({ tenant, topic }, count) {
      return (await sql.rows("has_more_subscribers", more, [tenant, topic, count])).length > 0;
    },
    async findMembers(tenant, source, { after, limit }) {
      const values = source.parts.flatMap(({ topic, mutedBy }) => [topic, ...placesOf(mutedBy)]);
      const rows = await sql.rows<MemberRow>("find_members", membersText(sql, source), [
        ...[tenant, after ?? "", limit, JSON.stringify(source.users)],
        ...values,
      ]);
      const except = new Set(source.except);
      const members = rows.filter(({ userId }) => !except.has(userId)).map((row) => memberOf(row, source));
      const reached = members.filter(({ channels }) => channels === null || channels.length > 0);
      return { members: reached, last: rows.length < limit ? null : (rows.at(-1)?.userId ?? null) };
    },
  };
}

/** Whether a choice at one of these places mutes a subscription. @param of its alias */
export function muted(choices: string, of: string, places: readonly string[]): string {
  // With an offset, PostgreSQL looks at each member's choices by key. Without, it may read those of everybody, and of all tenants.
  return `EXISTS (SELECT 1 FROM ${choices} c WHERE c.tenant = ${of}.tenant AND c.user_id = ${of}.user_id
      AND c.place ${places.length === 1 ? `= ${places[0]}` : `IN (${places.join(", ")})`} AND c.value = 'off' LIMIT 1 OFFSET 0)`;
}

/** The places of the two choices that mute a part. */
export function placesOf([own = "", other = own]: readonly string[]): readonly [string, string] {
  const [first, second] = [own, other].map((name) => choicePlace({ scope: "topic", name, channel: null, when: null }));
  return [first as string, second as string];
}

/** How many values come before those of the parts, and how many a part has. */
const BEFORE = 4;
const OF_PART = 3;

/**
 * The users of an audience after $2, in order. Each part is read by its key, as far as is needed. $1 tenant, $3 how many, $4 the users who are
 * named; and of each part, its topic and the places of the choices that mute it.
 */
function membersText(sql: Sql, { parts, required, users }: TopicSource): string {
  const { choices, subscriptions } = sql.tables;
  const ofPart = ({ isDeepOnly }: TopicSource["parts"][number], index: number) => {
    const first = BEFORE + OF_PART * index + 1;
    const isMuted = muted(choices, "s", [`$${first + 1}`, `$${first + 2}`]);
    const [channels, isWanted] =
      required.length === 0 ? ["s.channels", ` AND NOT ${isMuted}`] : [`CASE WHEN ${isMuted} THEN '[]' ELSE s.channels END`, ""];
    return `SELECT * FROM (SELECT s.user_id, ${index} AS place, ${channels} AS channels FROM ${subscriptions} s
      WHERE s.tenant = $1 AND s.topic = $${first} AND s.user_id > $2${isDeepOnly ? " AND s.is_deep" : ""}${isWanted} ORDER BY s.user_id LIMIT $3) p${index}`;
  };
  const named = `SELECT ${sql.bytewise("e.value")} AS user_id, -1 AS place, ${sql.cast("NULL", "text")} AS channels FROM ${sql.texts("$4")}
    WHERE ${sql.bytewise("e.value")} > $2`;
  const unused = `${sql.cast("$4", "text")} IS NOT NULL`;
  if (users.length === 0 && parts.length === 1) {
    return `SELECT user_id AS "userId", place, channels FROM (${ofPart(parts[0] as TopicSource["parts"][number], 0)}) m WHERE ${unused} ORDER BY user_id`;
  }
  const all = [...(users.length === 0 ? [] : [named]), ...parts.map(ofPart)].join(" UNION ALL ");
  return `SELECT user_id AS "userId", min(place) AS place,
      CASE WHEN count(channels) < count(*) THEN NULL ELSE ${sql.json.listOfRows}(channels) END AS channels
    FROM (${all}) m WHERE ${unused} GROUP BY user_id ORDER BY user_id LIMIT $3`;
}

function memberOf({ userId, place, channels }: MemberRow, { parts, required, channels: all }: TopicSource): TopicMember {
  const topic = place < 0 ? null : (parts[place]?.topic ?? null);
  if (channels === null) {
    return { userId, topic, channels: null };
  }
  const lists = parsed(channels as readonly string[] | string);
  const left = new Set([...lists.flatMap((one) => (one.startsWith("[") ? (JSON.parse(one) as readonly string[]) : [one])), ...required]);
  const those = all.filter((channel) => left.has(channel));
  return { userId, topic, channels: those.length === all.length ? null : those };
}

type OpenRow = {
  readonly key: number;
  readonly mark: string;
  readonly audience: string;
  readonly afterUser: string | null;
  readonly nextPlace: number;
  readonly hasDeliveries: boolean | number;
  readonly isOver: boolean | number;
};

function movingOf(sql: Sql): Pick<TopicsStorage, "openAudience" | "moveOn"> {
  const { audiences, fanOuts, fanOutParts, notifications } = sql.tables;
  const notification = fieldsOf<Notification>(sql.schema.notifications, sql);
  const isOpen = `EXISTS (SELECT 1 FROM ${fanOuts} f WHERE f.notification_pk = n.pk AND f.drop_at IS NULL)`;
  // One part at a time, so that the audiences, and the tenants at the parts, take turns.
  const isUnwritten = `EXISTS (SELECT 1 FROM ${fanOuts} f ${sql.join} ${fanOutParts} p ON p.fan_out_pk = f.pk
      WHERE f.notification_pk = a.notification_pk AND f.drop_at IS NULL AND p.place <> ${PLACE_OF_OTHERS})`;
  const open = `SELECT a.notification_pk AS "key", a.mark, a.source AS audience, a.after_user AS "afterUser", a.place AS "nextPlace",
      a.has_deliveries AS "hasDeliveries", coalesce(n.expires_at <= ${sql.cast("$1", "timestamptz")}, false) OR (a.has_deliveries AND NOT ${isOpen}) AS "isOver",
      ${notification.columns("n")}
    FROM ${audiences} a ${sql.join} ${notifications} n ON n.pk = a.notification_pk WHERE a.source IS NOT NULL AND NOT ${isUnwritten}
    ORDER BY a.tenant <= ${sql.cast("$2", "text")}, a.tenant, a.notification_pk LIMIT 1`;
  const texts = movingTexts(sql);
  return {
    async openAudience(at, served = "") {
      const [row] = await sql.rows<OpenRow>("open_audience", open, [at, served]);
      if (row === undefined) {
        return null;
      }
      const audience: OpenAudience = {
        notification: notification.record(row),
        key: String(row.key),
        mark: row.mark,
        source: JSON.parse(row.audience) as TopicSource,
        after: row.afterUser,
        place: row.nextPlace,
        hasDeliveries: Boolean(row.hasDeliveries),
        isOver: Boolean(row.isOver),
      };
      return audience;
    },
    async moveOn({ key, mark, hasDeliveries }, { parts, last, place }) {
      const list = parts.map((part) => [part.place, part.users, part.topic, part.channels === null ? null : JSON.stringify(part.channels)]);
      const some = [
        texts.move,
        ...(parts.length > 0 && !hasDeliveries ? [texts.begin] : []),
        ...(parts.length > 0 ? [texts.addParts] : []),
        ...(last === null && hasDeliveries ? [texts.end] : []),
      ];
      await sql.inTransaction("move_audience_on", some, [Number(key), mark, randomUUID(), JSON.stringify(list), last, place]);
    },
  };
}

/**
 * The statements of one step: $1 the notification's key, $2 the mark before, $3 the mark after, which is this call's alone, $4 the parts, $5 the last
 * user, null for nobody left, $6 the place of the next one. The first one lets nobody else move the audience; without it, the others do nothing.
 */
function movingTexts(sql: Sql): Readonly<Record<"move" | "begin" | "addParts" | "end", string>> {
  const { audiences, fanOuts, fanOutParts } = sql.tables;
  // Every statement gets all values, and PostgreSQL wants to know the type of each.
  const kinds = { 2: "text", 3: "text", 4: "text", 6: "bigint" } as const;
  const given = Object.entries(kinds)
    .map(([place, kind]) => `${sql.cast(`$${place}`, kind)} IS NOT NULL`)
    .join(" AND ");
  const all = `${given} AND coalesce(${sql.cast("$5", "text")}, '') IS NOT NULL`;
  const isOwn = `a.notification_pk = ${sql.cast("$1", "bigint")} AND a.mark = ${sql.cast("$3", "text")}`;
  const newest = `(SELECT max(f.pk) FROM ${fanOuts} f WHERE f.notification_pk = a.notification_pk AND f.drop_at IS NULL)`;
  const text = (place: number) => `(e.value ->> ${place})`;
  return {
    move: `UPDATE ${audiences} SET mark = ${sql.cast("$3", "text")}, after_user = ${sql.cast("$5", "text")}, place = ${sql.cast("$6", "bigint")},
        source = CASE WHEN ${sql.cast("$5", "text")} IS NULL THEN NULL ELSE source END
      WHERE notification_pk = ${sql.cast("$1", "bigint")} AND mark = ${sql.cast("$2", "text")} AND source IS NOT NULL AND ${all}`,
    // One of its own for each step of items alone: whoever writes its last part ends it.
    begin: `INSERT INTO ${fanOuts} (tenant, notification_pk) SELECT a.tenant, a.notification_pk FROM ${audiences} a WHERE ${isOwn} AND ${all}`,
    addParts: `INSERT INTO ${fanOutParts} (fan_out_pk, place, recipients, topic, channels)
      SELECT ${newest}, ${sql.cast(text(0), "bigint")}, ${sql.asTexts(text(1))}, ${text(2)}, ${text(3)}
      FROM ${audiences} a CROSS JOIN ${sql.elements("$4")} WHERE ${isOwn} AND ${all} AND ${newest} IS NOT NULL`,
    // Nobody is left to be found, so that the last part may end the fan-out.
    end: `DELETE FROM ${fanOutParts} WHERE place = ${PLACE_OF_OTHERS} AND fan_out_pk = (SELECT ${newest} FROM ${audiences} a WHERE ${isOwn} AND ${all})`,
  };
}

/** Reads the topics of notifications. */
export function topicsOf(sql: Sql): Pick<ActivityStorage, "topicsOf"> {
  const { audiences, notifications } = sql.tables;
  const find = `SELECT a.topics FROM ${notifications} n ${sql.join} ${audiences} a ON a.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2`;
  return {
    async topicsOf(tenant, id) {
      const rows = isUuid(id) ? await sql.rows<{ readonly topics: string }>("topics_of", find, [tenant, id.toLowerCase()]) : [];
      return rows[0] === undefined ? [] : (JSON.parse(rows[0].topics) as readonly string[]);
    },
  };
}

/** Takes a user out of the audiences of a tenant that are still being found. A step that is under way finds them moved, and is taken again. */
export async function leaveAudiences(sql: Sql, { tenant, userId }: Owner): Promise<void> {
  const { audiences } = sql.tables;
  const find = `SELECT a.notification_pk AS "key", a.mark, a.source FROM ${audiences} a WHERE a.tenant = $1 AND a.source IS NOT NULL`;
  const change = `UPDATE ${audiences} SET source = $3, mark = $4 WHERE notification_pk = $1 AND mark = $2 AND source IS NOT NULL RETURNING mark`;
  type Row = { readonly key: number; readonly mark: string; readonly source: string };
  for (const row of await sql.rows<Row>("audiences_to_leave", find, [tenant])) {
    const { users, except, ...source } = JSON.parse(row.source) as TopicSource;
    const others = (list: readonly string[]) => list.filter((one) => one !== userId);
    const left = JSON.stringify({ ...source, users: others(users), except: others(except) } satisfies TopicSource);
    const changed = await sql.rows("leave_audience", change, [row.key, row.mark, left, randomUUID()]);
    if (changed.length === 0) {
      // It was moved on meanwhile.
      return leaveAudiences(sql, { tenant, userId });
    }
  }
}
