import type { OpenAudience, TopicSource } from "@belfry/core/storage";
import Database from "better-sqlite3";
import { afterAll, describe, expect, test } from "vitest";
import { type SqliteStorage, sqliteStorage } from "../src/index.ts";
import { entry } from "./setup.ts";

const SUBSCRIBERS = 100_000;
const LIMIT = 1_000;
const LATE = `user_${String(SUBSCRIBERS - 5_000).padStart(7, "0")}`;
const ann = { tenant: "acme", userId: "ann" };
const topic = { tenant: "acme", topic: "post/1" };
const TERMS = { deep: true, channels: ["inbox"], at: new Date() };

const part = (name: string, isDeepOnly = false): TopicSource["parts"][number] => ({ topic: name, isDeepOnly, mutedBy: [name] });
const one: TopicSource = { parts: [part("post/1")], users: [], except: ["zoe"], required: [], channels: ["inbox"], chunk: LIMIT };
const several: TopicSource = { ...one, parts: [part("post/1"), part("post/2"), part("post", true)], users: ["ann", "zoe"] };
const range = { after: LATE, limit: LIMIT };

/** All that a storage does with topics. */
const questions: Readonly<Record<string, (storage: SqliteStorage) => Promise<unknown>>> = {
  "find members of one topic": ({ topics }) => topics.findMembers("acme", one, range),
  "find members of several, with users by name": ({ topics }) => topics.findMembers("acme", several, range),
  "find members over a required channel": ({ topics }) => topics.findMembers("acme", { ...one, required: ["inbox"] }, range),
  "has more than": ({ topics }) => topics.hasMoreThan(topic, LIMIT),
  subscribers: ({ topics }) => topics.subscribers(topic, range),
  subscriptions: ({ topics }) => topics.subscriptions(ann, { prefix: null, after: "post", limit: LIMIT }),
  "subscriptions below": ({ topics }) => topics.subscriptions(ann, { prefix: "post", after: null, limit: LIMIT }),
  topics: ({ topics }) => topics.topics("acme", { prefix: "post", after: null, limit: LIMIT }),
  "every topic": ({ topics }) => topics.topics("acme", { prefix: null, after: null, limit: LIMIT }),
  subscribe: ({ topics }) => topics.subscribe(topic, ["ann", LATE], TERMS),
  unsubscribe: ({ topics }) => topics.unsubscribe(topic, ["ann"]),
  export: ({ topics }) => topics.export(ann, { after: null, limit: LIMIT }),
  erase: ({ topics }) => topics.erase(ann, LIMIT),
  "create for a topic, and a step of it": async ({ inbox, topics }) => {
    const audience = { topics: ["post/1"], source: JSON.stringify(one), place: 0, hasDeliveries: false };
    await inbox.createMany([{ ...entry([]), audience }]);
    const open = await topics.openAudience(new Date());
    expect(open).not.toBeNull();
    if (open !== null) {
      await topics.moveOn(open, { parts: [{ users: ["ann"], topic: null, channels: null, place: 0 }], last: "ann", place: 1 });
    }
  },
  "write members of one topic": (storage) => writeMembers(storage, one),
  "write members of several, with users by name": (storage) => writeMembers(storage, several),
};

/** Takes a step that writes items, and ends the audience, so that the next question finds its own. */
async function writeMembers({ inbox, topics }: SqliteStorage, source: TopicSource): Promise<void> {
  const audience = { topics: ["post/1"], source: JSON.stringify(source), place: 0, hasDeliveries: false };
  await inbox.createMany([{ ...entry([]), audience }]);
  const open = (await topics.openAudience(new Date())) as OpenAudience;
  expect(open).toMatchObject({ source });
  expect(await topics.writeMembers(open, { at: new Date() })).toMatchObject({ as: "written" });
  const left = (await topics.openAudience(new Date())) as OpenAudience;
  await topics.moveOn(left, { parts: [], last: null, place: 0 });
}

/** Steps that read a table whole, but for what is open, lists that were given, rows of another step, and the recursion from topic to topic. */
const SCANS =
  /^SCAN (?!a USING INDEX belfry_audiences_open$|(c|e|json_each|recipient) VIRTUAL TABLE|CONSTANT ROW|(m|p\d+|t|\d+)$|\(subquery)|AUTOMATIC/;
/** What is found by the tenant, or by the topic, alone: all that there is of them. */
const WHOLE = / s USING .*\((tenant=\?|tenant=\? AND topic=\?)\)$/;

describe.each(["without statistics", "with statistics"])(`plans for topics of ${SUBSCRIBERS} subscribers each, %s`, (statistics) => {
  const statements: string[] = [];
  const database = new Database(":memory:", { verbose: (sql) => void statements.push(String(sql)) });
  const storage = sqliteStorage(database);
  const opened = storage.open().then(() => {
    database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${SUBSCRIBERS})
      INSERT INTO belfry_subscriptions (tenant, topic, user_id, is_deep, created_at)
      SELECT 'acme', t.value, 'user_' || substr('0000000' || i, -7), i % 2, 0 FROM n CROSS JOIN json_each('["post","post/1","post/2"]') t;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO belfry_choices (tenant, user_id, place, scope, name, channel, value, is_locked)
      SELECT 'acme', 'user_' || substr('0000000' || i, -7), hex(i), 'all', '', '', 'off', 0 FROM n;
      ${statistics === "with statistics" ? "ANALYZE" : ""}`);
  });

  afterAll(() => {
    database.close();
  });

  test.each(Object.entries(questions))("%s goes by key", async (_, ask) => {
    await opened;
    statements.length = 0;
    await ask(storage);
    const asked = statements.splice(0).filter((sql) => /^\s*(select|with|insert|update|delete)/i.test(sql));
    expect(asked.length).toBeGreaterThan(0);
    for (const sql of asked) {
      const steps = database.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all();
      const plan = steps.map(({ detail }) => detail);
      expect(
        plan.filter((step) => SCANS.test(step)),
        sql,
      ).toEqual([]);
      // The first of a topic is one row, and how many there are beyond a number is counted along the key.
      if (!/ LIMIT 1(?: OFFSET .*)?$/.test(sql)) {
        expect(
          plan.filter((step) => WHOLE.test(step)),
          sql,
        ).toEqual([]);
      }
    }
  });
});
