import { randomInt } from "node:crypto";
import { BelfryError, NotificationService } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import type pg from "pg";
import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { entry, openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const ROUNDS = process.env.BELFRY_LONG ? 400 : 15;
const CONNECTIONS = 8;
const ROUNDS_OF_USERS = 4;
const USERS = ["ann", "bob", "cat"] as const;

const database = useDatabase();
const cleanup = useCleanup();

type Storage = ReturnType<typeof postgresStorage>;

interface Side {
  readonly storage: Storage;
  readonly service: NotificationService;
}

function openSide(): Side & { readonly pool: pg.Pool } {
  // A deadlock is found at once, and not after a second.
  const pool = openPool(`${database.url}?options=${encodeURIComponent("-c deadlock_timeout=10ms")}`, CONNECTIONS);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  const service = new NotificationService({ storage, delivery: { worker: false }, logger: silent });
  cleanup(() => service.stop());
  return { storage, service: service as unknown as NotificationService, pool };
}

function one<Of>(of: readonly Of[]): Of {
  return of[randomInt(of.length)] as Of;
}

function shuffled<Of>(of: readonly Of[]): readonly Of[] {
  return of
    .map((value) => ({ value, order: randomInt(1_000_000) }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ value }) => value);
}

/** Entries for some of the users: usual and rare ones, in groups, and such as replace each other. */
function entriesFor(users: readonly string[]): readonly NewNotification[] {
  const [ann = "", bob = ""] = users;
  const rare = { category: "social", expiresAt: new Date("2100-01-01") };
  return [
    ...[entry(ann), entry(ann), entry(ann, rare), entry(bob), entry([...users])],
    ...[entry(ann, { group: "g", actor: "eve" }), entry([ann, bob], { group: "g" })],
    ...[entry(ann, { replaceKey: "k" }), entry([ann, bob], { replaceKey: "k" })],
  ];
}

/** The same entries by themselves, and in batches in any order, from all sides: of those of one inbox alone, too, which wait for it. */
function creates(entries: readonly NewNotification[], side: () => Side): readonly (() => Promise<unknown>)[] {
  const ofOne = entries.filter(({ recipients }) => recipients.length === 1 && recipients[0] === entries[0]?.recipients[0]);
  const batches = [...Array.from({ length: 6 }, () => shuffled(entries).slice(0, 2 + randomInt(4))), shuffled(ofOne), shuffled(ofOne)];
  return [
    ...[...entries, ...entries].map((alone) => async () => side().storage.inbox.createMany([alone])),
    ...batches.map((batch, index) => async () => side().storage.inbox.createMany(batch, { skipBusy: index % 3 === 0 })),
  ];
}

function changes(users: readonly string[], side: () => Side): readonly (() => Promise<unknown>)[] {
  return Array.from({ length: 8 }, () => {
    const inbox = side().service.inbox(one(users));
    const seqs = Array.from({ length: 3 }, () => ({ seq: 1 + randomInt(40) }));
    const calls = [
      () => inbox.markMany(seqs, one(["read", "unread", "archived", "unarchived"] as const)),
      () => inbox.removeMany(seqs),
      () => inbox.markAllRead(),
      () => inbox.removeRead(),
      () => inbox.group("g").mark("archived"),
    ];
    return one(calls);
  });
}

/** The counts of an inbox beside a recount of its items. */
async function countsOf(side: Side, userId: string) {
  const { items, counts } = await side.service.inbox(userId).list({ limit: 1_000 });
  const unread = items.filter(({ readAt }) => readAt === null).length;
  const unseen = items.filter(({ isSeen }) => !isSeen).length;
  const counted = { total: counts.total, unread: counts.unread, unseen: counts.unseen };
  return { counted, recounted: { total: items.length, unread, unseen } };
}

test("whoever creates, repeats, marks and deletes the same at the same time, each item is there once, and no deadlock reaches a caller", {
  timeout: ROUNDS * 4_000 + 60_000,
}, async () => {
  const sides = [openSide(), openSide()] as const;
  const side = () => one(sides);
  const [{ pool }] = sides;
  await Promise.all(sides.map(({ service }) => service.inbox("ann").counts()));
  let sent: readonly string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // Inboxes begin with every few rounds.
    const users = USERS.map((user) => `${user} ${Math.floor(round / ROUNDS_OF_USERS)}`);
    const entries = entriesFor(users);
    const keys = [`first ${round}`, `second ${round}`];
    const keyed = keys.flatMap((idempotencyKey) =>
      Array.from({ length: 3 }, () => async () => {
        const { notification } = await side().service.create({ to: [...users], title: "Keyed", idempotencyKey });
        return { idempotencyKey, id: notification.id };
      }),
    );
    const deletes = sent.flatMap((id) => [() => side().service.delete(id), () => side().service.delete(id)]);
    const work = [...creates(entries, side), ...changes(users, side), ...keyed, ...deletes];
    const results = await Promise.allSettled(shuffled(work).map((run) => run()));
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(failures.filter((failure) => !(failure instanceof BelfryError && failure.code === "NOT_FOUND"))).toEqual([]);

    const answers = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const isKeyed = (answer: unknown): answer is { readonly idempotencyKey: string; readonly id: string } =>
      typeof answer === "object" && answer !== null && "idempotencyKey" in answer;
    const byKey = Map.groupBy(answers.filter(isKeyed), ({ idempotencyKey }) => idempotencyKey);
    sent = [...byKey.values()].map((same) => {
      expect(new Set(same.map(({ id }) => id)).size).toBe(1);
      return same[0]?.id ?? "";
    });
    expect(sent).toHaveLength(keys.length);
    const written = await rowsOf<{ readonly id: string; readonly users: readonly string[] }>(
      pool,
      `SELECT n.id::text, array_agg(i.user_id::text ORDER BY i.user_id) AS users FROM belfry_notifications n
      JOIN belfry_inbox_items i ON i.notification_pk = n.pk WHERE n.id = ANY ($1::uuid[]) GROUP BY n.id ORDER BY n.id`,
      [[...entries.map(({ notification }) => notification.id), ...sent]],
    );
    const expected = [
      ...entries.map(({ notification, recipients }) => ({ id: notification.id, users: recipients })),
      ...sent.map((id) => ({ id, users: [...users] })),
    ];
    expect(written).toEqual(expected.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    for (const userId of users) {
      const { counted, recounted } = await countsOf(side(), userId);
      expect({ round, userId, counted }).toEqual({ round, userId, counted: recounted });
    }
  }
});
