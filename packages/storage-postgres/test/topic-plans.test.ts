import type { OpenAudience, TopicSource } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { blocksOf, readWhole, useFilledPlans } from "./filled-plans.ts";
import { entry } from "./setup.ts";

const SUBSCRIBERS = 100_000;
const LIMIT = 1_000;

describe(`finding members of topics of ${SUBSCRIBERS} subscribers each`, () => {
  const filled = useFilledPlans(async (client) => {
    await client.query(
      `INSERT INTO belfry_subscriptions (tenant, topic, user_id, is_deep, created_at)
      SELECT 'acme', t, 'user_' || lpad(i::text, 7, '0'), i % 2 = 0, now() FROM unnest($1::text[]) t, generate_series(1, $2::int) i`,
      [["post", "post/1", "post/2"], SUBSCRIBERS],
    );
    await client.query(`INSERT INTO belfry_choices (tenant, user_id, place, scope, name, channel, value, is_locked)
      SELECT 'acme', 'user_' || lpad(i::text, 7, '0'), md5(i::text), 'all', '', '', 'off', false FROM generate_series(1, 20000) i`);
  });

  /** The blocks that a question reads, none of them of a table that is read whole. */
  async function blocks(work: () => Promise<unknown>): Promise<readonly number[]> {
    const plans = await filled.plansOf(work, "run");
    expect(readWhole(plans)).toEqual([]);
    return plans.map(blocksOf);
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
      const read = await blocks(() => filled.storage.topics.findMembers("acme", source, { after, limit: LIMIT }));
      // A look at the choices of each member, and the pages of the members themselves.
      expect(Math.max(...read)).toBeLessThan(LIMIT * partsOf * 8);
    }
  });

  test.each([
    ["of one topic", one],
    ["of several, with a deep one and users by name", several],
  ])("items of members %s are written along their keys", async (_, source) => {
    const { inbox, topics } = filled.storage;
    const audience = { topics: ["post/1"], source: JSON.stringify(source), place: 0, hasDeliveries: false };
    await inbox.createMany([{ ...entry([]), audience }]);
    const open = (await topics.openAudience(new Date())) as OpenAudience;
    const plans = await filled.plansOf(() => topics.writeMembers(open, { at: new Date() }));
    const large = ["belfry_subscriptions", "belfry_choices", "belfry_inbox_counters", "belfry_inbox_items"];
    expect(readWhole(plans).filter((table) => large.includes(table))).toEqual([]);
    const left = (await topics.openAudience(new Date())) as OpenAudience;
    await topics.moveOn(left, { parts: [], last: null, place: 0 });
  });

  test("whether a topic has many subscribers is seen from their keys", async () => {
    const read = await blocks(() => filled.storage.topics.hasMoreThan({ tenant: "acme", topic: "post/2" }, LIMIT));
    expect(Math.max(...read)).toBeLessThan(LIMIT);
  });
});
