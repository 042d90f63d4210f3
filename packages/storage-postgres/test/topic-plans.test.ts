import type { TopicSource } from "@belfry/core/storage";
import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { fillTables, openPool, silent, useDatabase } from "./setup.ts";

const SUBSCRIBERS = 100_000;
const LIMIT = 1_000;

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly Plan[];
}

function nodesOf(plan: Plan): readonly Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

describe(`finding members of topics of ${SUBSCRIBERS} subscribers each`, () => {
  const database = useDatabase();
  let pool: Pool;
  let storage: ReturnType<typeof postgresStorage>;
  const asked: { text: string; values: readonly unknown[] }[] = [];

  beforeAll(async () => {
    pool = openPool(database.url, 4);
    storage = postgresStorage(pool, { logger: silent });
    await storage.open();
    await fillTables(pool, async (client) => {
      await client.query(
        `INSERT INTO belfry_subscriptions (tenant, topic, user_id, is_deep, created_at)
        SELECT 'acme', t, 'user_' || lpad(i::text, 7, '0'), i % 2 = 0, now() FROM unnest($1::text[]) t, generate_series(1, $2::int) i`,
        [["post", "post/1", "post/2"], SUBSCRIBERS],
      );
      await client.query(`INSERT INTO belfry_choices (tenant, user_id, place, scope, name, channel, value, is_locked)
        SELECT 'acme', 'user_' || lpad(i::text, 7, '0'), md5(i::text), 'all', '', '', 'off', false FROM generate_series(1, 20000) i`);
    });
    await pool.query("VACUUM ANALYZE");
    const query = pool.query.bind(pool) as (config: unknown) => unknown;
    pool.query = ((config: { text: string; values: readonly unknown[] }) => {
      if (typeof config === "object") {
        asked.push({ text: config.text, values: config.values });
      }
      return query(config);
    }) as Pool["query"];
  }, 300_000);

  afterAll(async () => {
    await storage.close();
    await pool.end();
  });

  /** The plans of what `work` asks, run for their values and for any. */
  async function plansOf(work: () => Promise<unknown>): Promise<readonly Plan[]> {
    asked.length = 0;
    await work();
    const statements = asked.splice(0);
    expect(statements.length).toBeGreaterThan(0);
    const client = await pool.connect();
    try {
      const plans: Plan[] = [];
      for (const mode of ["force_custom_plan", "force_generic_plan"]) {
        await client.query(`SET plan_cache_mode = ${mode}`);
        for (const { text, values } of statements) {
          await client.query(`PREPARE explained AS ${text}`);
          const given = values.map((value) => (value === null ? "NULL" : client.escapeLiteral(String(value)))).join(", ");
          const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained (${given})`);
          await client.query("DEALLOCATE explained");
          plans.push((rows[0] as { "QUERY PLAN": { Plan: Plan }[] })["QUERY PLAN"][0]?.Plan as Plan);
        }
      }
      return plans;
    } finally {
      client.release();
    }
  }

  /** The blocks that a question reads, none of them of a table that is read whole. */
  async function blocksOf(work: () => Promise<unknown>): Promise<readonly number[]> {
    const plans = await plansOf(work);
    const whole = plans.flatMap(nodesOf).filter((node) => node["Node Type"] === "Seq Scan");
    expect(whole.map((node) => node["Relation Name"])).toEqual([]);
    return plans.map((plan) => plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]);
  }

  const part = (topic: string, isDeepOnly = false): TopicSource["parts"][number] => ({ topic, isDeepOnly, mutedBy: [topic] });
  const one: TopicSource = { parts: [part("post/1")], users: [], except: [], required: [], channels: ["inbox"], chunk: LIMIT };
  const several: TopicSource = { ...one, parts: [part("post/1"), part("post/2"), part("post", true)], users: ["ann", "zoe"] };

  test.each([
    ["of one topic", one],
    ["of several, with a deep one and users by name", several],
    ["over a required channel", { ...one, required: ["inbox"] }],
  ])("members %s are read by ranges of keys, at the start and late alike", async (_, source) => {
    const partsOf = source.parts.length;
    for (const after of [null, `user_${String(SUBSCRIBERS - 5_000).padStart(7, "0")}`]) {
      const read = await blocksOf(() => storage.topics.findMembers("acme", source, { after, limit: LIMIT }));
      // A look at the choices of each member, and the pages of the members themselves.
      expect(Math.max(...read)).toBeLessThan(LIMIT * partsOf * 8);
    }
  });

  test("whether a topic has many subscribers is seen from their keys", async () => {
    const read = await blocksOf(() => storage.topics.hasMoreThan({ tenant: "acme", topic: "post/2" }, LIMIT));
    expect(Math.max(...read)).toBeLessThan(LIMIT);
  });
});
