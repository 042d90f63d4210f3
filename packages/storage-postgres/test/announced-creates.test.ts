import type { InboxSignal, NewNotification } from "@belfry/core/storage";
import pg from "pg";
import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { feedChannelOf } from "../src/listen-notify/announcements.ts";
import { entry, listenTo, openPool, silent, useCleanup, useDatabase } from "./setup.ts";

const WAIT = { timeout: 30_000, interval: 20 };
const NOTIFIES = /pg_notify\(\$1,/;

const cleanup = useCleanup();
const database = useDatabase();

/** A storage whose transport sends over the pool, and another process's transport. */
async function opened() {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  cleanup(() => storage.close());
  const other = postgresStorage(database.url, { logger: silent, poolSize: 1 });
  await other.open();
  cleanup(() => other.close());
  const heard: InboxSignal[] = [];
  const listening = other.transport();
  await listening.follow?.("every inbox");
  await listening.start({ onSignals: (signals) => heard.push(...(signals as InboxSignal[])), onGap: () => {} });
  cleanup(() => listening.stop());
  return { storage, transport: storage.transport(), heard, texts: listenTo(pool) };
}

type Opened = Awaited<ReturnType<typeof opened>>;

/** Creates as the service does: it publishes each entry's signals once they are written. */
async function create({ storage, transport }: Opened, entries: readonly NewNotification[]): Promise<void> {
  const written = await storage.inbox.createMany(entries, { skipBusy: true });
  for (const [index, { notification }] of entries.entries()) {
    const { tenant, id } = notification;
    transport.publish((written[index] ?? []).map((item): InboxSignal => ({ ...item, tenant, change: "created", id, notification })));
  }
}

const told = (heard: readonly InboxSignal[]) => heard.map(({ tenant, userId, seq, epoch, id }) => ({ tenant, userId, seq, epoch, id }));

const CASES = [
  ["of one create", [entry('"a", \\ and é \u0007')]],
  ["of a batch", [entry("bob"), entry(["ann", "bob", 'c"d\\']), entry("bob")]],
] as const;

test.each(CASES)("the signals %s come with its commit, once, and as others send them", async (_, entries) => {
  const open = await opened();
  await create(open, entries);
  const signals = entries.reduce((sum, { recipients }) => sum + recipients.length, 0);
  await expect.poll(() => open.heard.length, WAIT).toBe(signals);
  expect(open.texts.filter((text) => NOTIFIES.test(text))).toEqual([]);
  const [last] = [entry("marker")];
  await create(open, [last as NewNotification]);
  await expect.poll(() => open.heard.at(-1)?.userId, WAIT).toBe("marker");
  expect(open.heard).toHaveLength(signals + 1);
  const { inbox } = open.storage;
  const expected = entries.flatMap(({ notification: { tenant, id }, recipients }) => recipients.map((userId) => ({ tenant, userId, id })));
  const items = await Promise.all(
    expected.map(async ({ tenant, userId, id }) => {
      const { epoch } = await inbox.counts({ tenant, userId });
      const item = await inbox.get({ tenant, userId }, id);
      return { tenant, userId, seq: item?.seq, epoch, id };
    }),
  );
  expect(told(open.heard).slice(0, -1)).toEqual(items);
});

test.each(CASES)("while another commit notifies, the signals %s are sent afterwards", async (_, entries) => {
  const open = await opened();
  const holder = new pg.Client(database.url);
  await holder.connect();
  cleanup(() => holder.end());
  await holder.query("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('belfry_notify', 0))");
  await create(
    open,
    entries.map(({ notification, recipients }) => entry(recipients, { tenant: "held", title: notification.title })),
  );
  const signals = entries.reduce((sum, { recipients }) => sum + recipients.length, 0);
  await expect.poll(() => open.heard.length, WAIT).toBe(signals);
  expect(open.texts.some((text) => NOTIFIES.test(text))).toBe(true);
});

test("while a transaction of the host is open that has created something, signals are sent afterwards, and its own come with its commit", async () => {
  const open = await opened();
  const host = new pg.Client(database.url);
  await host.connect();
  cleanup(() => host.end());
  await host.query("BEGIN");
  await open.storage.inbox.createWithin(host, entry("hosts"), () => {});
  await create(open, [entry("others")]);
  await expect.poll(() => open.heard.map(({ userId }) => userId), WAIT).toEqual(["others"]);
  expect(open.texts.some((text) => NOTIFIES.test(text))).toBe(true);
  await host.query("COMMIT");
  await expect.poll(() => open.heard.map(({ userId }) => userId), WAIT).toEqual(["others", "hosts"]);
});

test("a create that is repeated is told again", async () => {
  const open = await opened();
  const repeated = entry("ann");
  await create(open, [repeated]);
  await create(open, [repeated]);
  await expect.poll(() => open.heard.length, WAIT).toBe(2);
  expect(told(open.heard)[0]).toEqual(told(open.heard)[1]);
});

test("a storage without a transport sends nothing", async () => {
  const storage = postgresStorage(database.url, { logger: silent, poolSize: 1 });
  await storage.open();
  cleanup(() => storage.close());
  const client = new pg.Client(database.url);
  await client.connect();
  cleanup(() => client.end());
  let count = 0;
  client.on("notification", () => {
    count += 1;
  });
  await client.query(`LISTEN "${feedChannelOf("public")}"`);
  await storage.inbox.createMany([entry("ann")]);
  await storage.inbox.createMany([entry("ann"), entry("bob")]);
  // An answer comes behind the notifications that were there before.
  await client.query("SELECT 1");
  expect(count).toBe(0);
});
