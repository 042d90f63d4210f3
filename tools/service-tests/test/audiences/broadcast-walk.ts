import type {
  FeedSubscription,
  Inbox,
  InboxItem,
  InboxPosition,
  Notification,
  NotificationService,
  NotificationServiceOptions,
} from "@belfry/core";
import { expect } from "vitest";
import type { ServiceDatabase } from "../service-database.ts";
import { sharedTransports } from "./shared-transports.ts";

const USERS = 200;
const STEPS = process.env.BELFRY_LONG ? 6_000 : 120;
const AT_ONCE = 6;
const EVERYONE = { to: "everyone", title: "For everyone" } as const;
const SOON_MS = 100;
const FAR_MS = 24 * 60 * 60 * 1_000;

/** Numbers that repeat with their seed: mulberry32. */
export function randomsOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The parts of a walk. */
export interface Walking {
  readonly seed: number;
  readonly database: ServiceDatabase;
  service(options: Partial<NotificationServiceOptions>): Promise<NotificationService>;
}

/** A user, and what the walk knows of them. */
class Walker {
  readonly userId: string;
  /** How many broadcasts had gone out when the inbox began; null before. */
  beganAfter: number | null = null;
  /** The numbers of new items that a follower was told of. */
  readonly told: number[] = [];
  #position: InboxPosition = { seq: 0, epoch: "0", rev: 0 };
  #subscription: FeedSubscription | null = null;

  constructor(userId: string) {
    this.userId = userId;
  }

  /** Connects, from where it was, or leaves. */
  async toggle(inbox: Inbox): Promise<void> {
    if (this.#subscription !== null) {
      this.leave();
      return;
    }
    this.#subscription = inbox.subscribe(
      {
        onEvent: ({ change, seq, epoch, rev, left = 0 }) => {
          if (change === "created") {
            this.told.push(seq);
            this.#position = { ...this.#position, seq, epoch };
          } else if (rev !== undefined && left === 0) {
            this.#position = { ...this.#position, rev };
          }
        },
        onState: (recovered, position) => {
          expect(recovered).toBe(true);
          this.#position = { ...position, rev: position.rev ?? 0 };
        },
      },
      this.#position,
    );
    await this.#subscription.ready;
  }

  leave(): void {
    this.#subscription?.close();
    this.#subscription = null;
  }
}

/**
 * Users list, count, mark, archive, connect, resume and get notifications of their own, on two instances, while broadcasts go out, some
 * of them in transactions of the host, which may roll back, and some later, unless they are cancelled. In the end each inbox has every broadcast since it began, once.
 */
export async function walk({ seed, database, service }: Walking): Promise<void> {
  const random = randomsOf(seed);
  const transports = sharedTransports(database);
  const services = [await service(transports()), await service(transports())];
  const walkers = Array.from({ length: USERS }, (_, index) => new Walker(`user ${index}`));
  const sent: string[] = [];
  for (let done = 0; done < STEPS; done += AT_ONCE) {
    if (random(12) === 0) {
      const id = await broadcast(services[random(2)] as NotificationService, database, random);
      sent.push(...(id === null ? [] : [id]));
    }
    const few = new Set(Array.from({ length: AT_ONCE }, () => walkers[random(USERS)] as Walker));
    await Promise.all(
      [...few].map((walker) => {
        walker.beganAfter ??= sent.length;
        return step(services[random(2)] as NotificationService, walker, random);
      }),
    );
  }
  for (const walker of walkers) {
    walker.leave();
    await expectAll(services[random(2)] as NotificationService, walker, { seed, sent });
  }
}

async function broadcast(notifications: NotificationService, database: ServiceDatabase, random: (below: number) => number) {
  const kind = random(8);
  if (kind < 4) {
    return (await notifications.create(EVERYONE)).notification.id;
  }
  const isLater = kind < 6;
  const input = isLater ? { ...EVERYONE, scheduledAt: new Date(Date.now() + (random(2) === 0 ? SOON_MS : FAR_MS)) } : EVERYONE;
  if (isLater && random(2) === 0) {
    return await sendLater(
      notifications,
      (await notifications.create({ ...input, idempotencyKey: `key ${random(2 ** 31)}` })).notification,
    );
  }
  const prepared = await notifications.prepare(input);
  if (random(2) === 0) {
    await database.transaction((tx) => prepared.write(tx));
    return isLater ? await sendLater(notifications, prepared.notification) : prepared.notification.id;
  }
  await database.rolledBack(async (tx) => {
    await prepared.write(tx);
  });
  return null;
}

/** Waits for a scheduled broadcast to go out; changes and cancels one that is far away. */
async function sendLater(notifications: NotificationService, { id }: Pick<Notification, "id">): Promise<string | null> {
  const { scheduledAt } = await notifications.get(id);
  if (scheduledAt !== null && scheduledAt.getTime() > Date.now() + FAR_MS / 2) {
    await notifications.update(id, { title: "Changed" });
    await notifications.cancel(id);
    return null;
  }
  await expect.poll(async () => (await notifications.get(id)).status, { timeout: 30_000, interval: 10 }).toBe("sent");
  return id;
}

async function step(notifications: NotificationService, walker: Walker, random: (below: number) => number): Promise<void> {
  const inbox = notifications.inbox(walker.userId);
  const ref = { seq: 1 + random(5) };
  const all = [
    () => inbox.list({ limit: 5 }),
    () => inbox.counts(),
    () => inbox.readUnread(),
    () => inbox.markMany([ref], "read"),
    () => inbox.markMany([ref], "archived"),
    () => inbox.markMany([ref], "unarchived"),
    () => inbox.markAllRead(),
    () => walker.toggle(inbox),
    () => walker.toggle(inbox),
    () => notifications.create({ to: walker.userId, title: "For one" }),
  ];
  await all[random(all.length)]?.();
}

/** Checks that a user has every broadcast since the inbox began, once, numbers without a gap, and the counts of a recount. */
async function expectAll(
  notifications: NotificationService,
  { userId, beganAfter, told }: Walker,
  { seed, sent }: { readonly seed: number; readonly sent: readonly string[] },
): Promise<void> {
  const inbox = notifications.inbox(userId);
  await inbox.counts();
  const lists = await Promise.all([{}, { archived: true }].map((place) => inbox.list({ ...place, limit: 1_000 })));
  const [active = [], archived = []] = lists.map(({ items }) => items);
  const items: readonly InboxItem[] = [...active, ...archived].toSorted((one, other) => one.seq - other.seq);
  const ofEveryone = items.filter(({ title }) => title === "For everyone").map(({ id }) => id);
  const expected = beganAfter === null ? [] : sent.slice(beganAfter);
  const seqs = items.map(({ seq }) => seq);
  const unread = active.filter(({ readAt }) => readAt === null).length;
  const { counts } = lists[0] as (typeof lists)[number];
  const isOnce = told.every((seq, index) => index === 0 || seq > (told[index - 1] ?? 0));
  expect({ seed, userId, ofEveryone, seqs, counts: [counts.total, counts.unread, counts.lastSeq], isOnce }).toEqual({
    ...{ seed, userId, ofEveryone: expected, seqs: items.map((_, index) => index + 1), isOnce: true },
    counts: [active.length, unread, items.length],
  });
}
