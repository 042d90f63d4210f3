import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { entry, listenTo, openPool, silent, useCleanup, useDatabase } from "./setup.ts";

const cleanup = useCleanup();
const database = useDatabase();

async function opened() {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  cleanup(() => storage.close());
  return { inbox: storage.inbox, texts: listenTo(pool) };
}

const EXPIRING = { category: "social", expiresAt: new Date("2030-01-02T03:04:05Z") };

test.each([
  ["a usual create", {}],
  ["a create with rare fields", EXPIRING],
])("%s takes two statements where the inbox begins with it, and one from then on", async (name, fields) => {
  const { inbox, texts } = await opened();
  const numbers: number[] = [];
  for (const statements of [2, 1, 1]) {
    const before = texts.length;
    const [items] = await inbox.createMany([entry(name, fields)]);
    numbers.push(...(items ?? []).map(({ seq }) => seq));
    expect(texts).toHaveLength(before + statements);
  }
  expect(numbers).toEqual([1, 2, 3]);
});

test("the end of an item in an inbox that has begun is noted, unless another one is due before", async () => {
  const { inbox } = await opened();
  const dueAt = async () => (await inbox.counts({ tenant: "acme", userId: "dora" })).dueAt;
  await inbox.createMany([entry("dora")]);
  expect(await dueAt()).toBeUndefined();
  await inbox.createMany([entry("dora", EXPIRING)]);
  await inbox.createMany([entry("dora", { expiresAt: new Date("2031-01-02T03:04:05Z") })]);
  await inbox.createMany([entry("dora")]);
  expect(await dueAt()).toEqual(EXPIRING.expiresAt);
});

test("a repeated create answers with the item that it has, and counts and numbers nothing", async () => {
  const { inbox } = await opened();
  const repeated = entry("ann");
  const [first] = await inbox.createMany([repeated]);
  expect(await inbox.createMany([repeated])).toEqual([first]);
  const [next] = await inbox.createMany([entry("ann")]);
  expect(next?.map(({ seq }) => seq)).toEqual([2]);
  expect(await inbox.counts({ tenant: "acme", userId: "ann" })).toMatchObject({ total: 2, unread: 2, lastSeq: 2 });
});

test("of the same create from several sides at once, one is written", async () => {
  const { inbox } = await opened();
  await inbox.createMany([entry("bob")]);
  const repeated = entry("bob");
  const answers = await Promise.all(Array.from({ length: 8 }, () => inbox.createMany([repeated])));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await inbox.counts({ tenant: "acme", userId: "bob" })).toMatchObject({ total: 2, unread: 2, lastSeq: 2 });
});
