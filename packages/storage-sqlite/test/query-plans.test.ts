import type { InboxStatus, ItemMark } from "@belfry/core";
import type { ItemFilter, TopicSource } from "@belfry/core/storage";
import Database from "better-sqlite3";
import { describe, expect, test, vi } from "vitest";
import { type SqliteStorage, sqliteStorage } from "../src/index.ts";
import { entry, useCleanup } from "./setup.ts";

const ann = { tenant: "acme", userId: "ann" };

const NOTE = { scope: "type", name: "note", channel: null, when: null } as const;

const KEPT = {
  readBefore: new Date(0),
  unreadBefore: new Date(0),
  at: new Date(0),
  types: { note: { readBefore: new Date(0), unreadBefore: new Date(0) } },
};

const MEMBERS: TopicSource = {
  parts: [{ topic: "post/1", isDeepOnly: false, mutedBy: ["post/1"] }],
  ...{ users: [], except: ["zoe"], required: [], channels: ["inbox"], chunk: 100 },
};

/** Every read, with each of its filters. */
const reads: Readonly<Record<string, (storage: SqliteStorage, id: string) => Promise<unknown>>> = {
  ...Object.fromEntries(
    (["all", "unread", "read"] satisfies InboxStatus[]).flatMap((status) =>
      [undefined, "note"].flatMap((type) => {
        const filter = type === undefined ? { status } : { status, type };
        const name = `list ${status}${type === undefined ? "" : " of a type"}`;
        return [
          [name, (storage: SqliteStorage) => storage.inbox.list(ann, { ...filter, limit: 20 })],
          [`${name} before a number`, (storage: SqliteStorage) => storage.inbox.list(ann, { ...filter, before: 40, limit: 20 })],
          [`${name} with an offset`, (storage: SqliteStorage) => storage.inbox.list(ann, { ...filter, offset: 10, limit: 20 })],
        ];
      }),
    ),
  ),
  "list archived": async ({ inbox }) => inbox.list(ann, { status: "unread", place: "archived", type: "note", limit: 20 }),
  "list snoozed": async ({ inbox }) => inbox.list(ann, { status: "all", place: "snoozed", limit: 20 }),
  ...Object.fromEntries(
    Object.entries({
      "types and categories": { types: ["note"], categories: { names: ["social"], types: ["note"] } },
      "priorities and seen": { priorities: ["low"], isSeen: true },
      unseen: { isSeen: false, isRead: false },
      pinned: { isPinned: true },
      "back again": { wasSnoozed: true },
    } satisfies Record<string, ItemFilter>).map(([name, filter]) => [
      `list filtered by ${name}`,
      async ({ inbox }: SqliteStorage) => inbox.list(ann, { status: "unread", filter, limit: 20 }),
    ]),
  ),
  "list archived and pinned": async ({ inbox }) =>
    inbox.list(ann, { status: "all", place: "archived", filter: { isPinned: true }, limit: 20 }),
  dueInboxes: ({ inbox }) => inbox.dueInboxes(10),
  expiring: ({ inbox }) => inbox.expiring(10),
  ownersOf: ({ inbox }, id) => inbox.ownersOf("acme", id, { after: "", limit: 10 }),
  listAfter: ({ inbox }) => inbox.listAfter(ann, 5, { limit: 20, bytes: 1_000_000 }),
  changesAfter: ({ inbox }) => inbox.changesAfter(ann, 0, 50),
  exportChanges: ({ inbox }) => inbox.exportChanges(ann, { after: null, limit: 20 }),
  listTenant: ({ inbox }) => inbox.listTenant("acme", 20),
  "get by id": ({ inbox }, id) => inbox.get(ann, id),
  "get by number": ({ inbox }) => inbox.get(ann, { seq: 7 }),
  absence: ({ inbox }, id) => inbox.absence({ tenant: "acme", userId: "zoe" }, id),
  counts: async ({ inbox }) => inbox.counts(ann),
  positions: ({ inbox }) => inbox.positions([ann]),
  preferencesOf: ({ decisions }) => decisions.preferencesOf("acme", ["ann", "bob"]),
  findMembers: ({ topics }) => topics.findMembers("acme", MEMBERS, { after: "bob", limit: 100 }),
  "findMembers of a required type": ({ topics }) =>
    topics.findMembers("acme", { ...MEMBERS, required: ["inbox"] }, { after: null, limit: 100 }),
  hasMoreThan: ({ topics }) => topics.hasMoreThan({ tenant: "acme", topic: "post/1" }, 1_000),
  exportChoices: ({ decisions }) => decisions.exportChoices(ann, { after: null, limit: 20 }),
  "a sweep that finds nothing": ({ inbox }) => inbox.sweep(KEPT, { after: null, limit: 20 }),
  "a later step of it": ({ inbox }) => inbox.sweep(KEPT, { after: JSON.stringify([50, "bob"]), limit: 20 }),
};

/** Writes on a user's behalf, which look their rows up as well. */
const writes: typeof reads = {
  // It sorts the items that it looks at into groups.
  tally: async ({ inbox }) => inbox.tally(ann, { places: ["active", "archived", "snoozed"], withPriorities: true, limit: 100 }),
  createMany: async ({ inbox }) => inbox.createMany([entry("ann"), entry(["ann", "bob"])]),
  "createMany with groups and keys": async ({ inbox }) => {
    for (const expiresAt of [null, new Date()]) {
      const entries = [["ann"], ["ann", "bob"]].map((to) => entry(to));
      const named = entries.map(({ notification, recipients }) => {
        return { notification: { ...notification, group: "g", replaceKey: "k", expiresAt }, recipients };
      });
      await inbox.createMany(named);
      await inbox.mark(ann, [{ seq: 103 }], { mark: "snoozed", at: new Date(), until: new Date() });
    }
  },
  markRead: ({ inbox }, id) => inbox.markRead(ann, [id, { seq: 3 }], new Date()),
  ...Object.fromEntries(
    (["seen", "unseen", "pinned", "unpinned", "archived", "unarchived", "woken"] satisfies ItemMark[]).map((mark) => [
      `mark ${mark}`,
      ({ inbox }: SqliteStorage, id: string) => inbox.mark(ann, [id, { seq: 3 }], { mark, at: new Date() }),
    ]),
  ),
  snooze: ({ inbox }, id) => inbox.mark(ann, [id], { mark: "snoozed", at: new Date(), until: new Date() }),
  changeMatching: ({ inbox }) =>
    inbox.changeMatching(ann, {
      ...{ mark: "read", at: new Date(), places: ["active", "archived"], after: 0, upTo: 90 },
      filter: { types: ["note"], categories: { names: ["social"], types: ["note"] }, isSeen: false },
    }),
  applyDue: ({ inbox }) => inbox.applyDue(ann, new Date()),
  markAllSeen: ({ inbox }) => inbox.markAllSeen(ann, new Date()),
  markAllRead: ({ inbox }) => inbox.markAllRead(ann, new Date()),
  remove: ({ inbox }, id) => inbox.remove(ann, [id, { seq: 3 }], new Date()),
  "changeMatching of what is read": ({ inbox }) =>
    inbox.changeMatching(ann, { mark: "deleted_read", at: new Date(), places: ["active"], filter: {}, after: 0, upTo: 90 }),
  sweepChanges: ({ inbox }) => inbox.sweepChanges(new Date(1), { after: null, limit: 20 }),
  setChoice: ({ decisions }) => decisions.setChoice(ann, { ...NOTE, value: "off", isLocked: false }, 1_000),
  takeBack: ({ decisions }) => decisions.takeBack(ann, NOTE),
  changeSettings: ({ decisions }) => decisions.changeSettings(ann, { timeZone: null }),
  reconsider: ({ deliveries }) => deliveries.reconsider(ann, 20, new Date()),
  "erasing choices": ({ decisions }) => decisions.erase(ann, 20),
  createFanOut: ({ inbox }) => inbox.createFanOut(entry(["ann", "bob"]), 1),
};

describe.each(["without statistics", "with statistics"])("query plans %s", (statistics) => {
  const cleanup = useCleanup();

  /** A storage with some data, and the statements that it has run since it was last asked. */
  async function recorded() {
    const statements: string[] = [];
    const database = new Database(":memory:", { verbose: (sql) => void statements.push(String(sql)) });
    const prepare = vi.spyOn(database, "prepare");
    const storage = sqliteStorage(database);
    await storage.open();
    cleanup(() => database.close());
    const users = ["ann", "bob", "cat", "dan"];
    const entries = Array.from({ length: 100 }, () => entry(users));
    await storage.inbox.createMany(entries);
    await storage.inbox.markRead(ann, [{ seq: 95 }], new Date());
    await storage.inbox.createMany([entry(users), entry(users)]);
    await storage.inbox.remove(ann, [{ seq: 90 }], new Date());
    for (const seq of [1, 2]) {
      await storage.inbox.createMany([entry("bob")]);
      await storage.inbox.markAllRead({ tenant: "acme", userId: "bob" }, new Date(seq));
    }
    if (statistics === "with statistics") {
      database.exec("ANALYZE");
    }
    const takeStatements = () => statements.splice(0).filter((sql) => /^\s*(select|insert|update|delete)/i.test(sql));
    takeStatements();
    const prepared = () => prepare.mock.calls.map(([sql]) => sql);
    return { storage, database, takeStatements, prepared, id: entries[50]?.notification.id ?? "" };
  }

  function planOf(database: Database.Database, sql: string): readonly string[] {
    const steps = database
      // SQLite knows no limit that is an expression, but would see through the one of a number.
      .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql.replaceAll(/\bLIMIT \+([\d.]+)/gi, "LIMIT abs($1)")}`)
      .all()
      .map((row) => row.detail);
    // The rows of an inner query, which has a limit and steps of its own, are gone through once.
    const inner = steps.find((step) => step.startsWith("CO-ROUTINE "));
    const through = inner === undefined ? -1 : steps.indexOf(inner.replace("CO-ROUTINE", "SCAN"));
    return steps.filter((_, at) => at !== through);
  }

  // The values that a statement was given are no table of the database.
  const scans = /^SCAN (?!(?:recipient|own|json_each) VIRTUAL TABLE|CONSTANT ROW)|AUTOMATIC/;

  test.each(Object.entries(reads))("%s searches by key and sorts nothing", async (_, read) => {
    const { storage, database, takeStatements, id } = await recorded();
    await read(storage, id);
    const statements = takeStatements();
    expect(statements.length).toBeGreaterThan(0);
    for (const sql of statements) {
      const plan = planOf(database, sql);
      expect(
        plan.filter((step) => scans.test(step) || step.includes("TEMP B-TREE")),
        sql,
      ).toEqual([]);
    }
  });

  test.each(Object.entries({ ...reads, ...writes }))("%s is planned once, whatever its limit", async (_, call) => {
    const { storage, prepared, id } = await recorded();
    await call(storage, id);
    // SQLite plans a statement anew whenever a plain limit gets a value.
    expect(prepared().filter((sql) => /\bLIMIT\s+[?:$@]/i.test(sql))).toEqual([]);
  });

  test.each(["all", "read"] satisfies InboxStatus[])("a page of %s ends where everything below is deleted", async (status) => {
    const { storage, database, takeStatements } = await recorded();
    await storage.inbox.list(ann, { status, before: 40, limit: 20 });
    const plans = takeStatements().flatMap((sql) => planOf(database, sql));
    expect(plans.filter((step) => step.startsWith("SEARCH i "))).toEqual([expect.stringContaining("seq>? AND seq<?")]);
  });

  test.each(Object.entries(writes))("%s searches by key", async (_, write) => {
    const { storage, database, takeStatements, id } = await recorded();
    await write(storage, id);
    const statements = takeStatements();
    expect(statements.length).toBeGreaterThan(0);
    for (const sql of statements) {
      expect(
        planOf(database, sql).filter((step) => scans.test(step)),
        sql,
      ).toEqual([]);
    }
  });
});
