import { randomInt } from "node:crypto";
import { BelfryError, type Channel, type Inbox, NotificationService } from "@belfry/core";
import { type TestClock, testClock } from "@belfry/testkit/host";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const ROUNDS = process.env.BELFRY_LONG ? 500 : 12;
const AT_ONCE = 12;
const USERS = ["ann", "bob", "cat", "dan"] as const;
const TOPIC = "post:1";
const SECOND_MS = 1_000;
/** What an operation may answer when another one was faster. */
const LATE: readonly string[] = ["NOT_FOUND", "INVALID_STATE"];

const channel: Channel = {
  name: "test",
  retryDelaysMs: [],
  timeoutMs: 1_000,
  invalidRecipient: () => null,
  deliver: async () => ({ status: "delivered", provider: "test" }),
};

function one<Of>(of: readonly Of[]): Of {
  return of[randomInt(of.length)] as Of;
}

/** Creates something for some of the users, in one of many ways, and returns its id. */
async function create(service: NotificationService, nowMs: number): Promise<string> {
  const soon = new Date(nowMs + randomInt(3) * SECOND_MS);
  const group = randomInt(2) === 0 ? { group: `thread ${randomInt(2)}` } : {};
  const replace = randomInt(3) === 0 ? { replace: "key" } : {};
  const channels = one([{}, { channels: ["inbox", "test"] }, { channels: ["inbox", "test"], scheduledAt: soon }]);
  const expiresAt = randomInt(4) === 0 ? { expiresAt: new Date(nowMs + (4 + randomInt(4)) * SECOND_MS) } : {};
  const input = { title: "News", ...group, ...replace, ...channels, ...expiresAt };
  const isForTopic = randomInt(3) === 0;
  const created = isForTopic
    ? service.create({ ...input, topic: TOPIC, except: one(USERS) })
    : service.create({ ...input, to: [one(USERS), one(USERS)] });
  return (await created).notification.id;
}

/** Changes an inbox in one of many ways. */
async function change(inbox: Inbox, nowMs: number): Promise<unknown> {
  const { items } = await inbox.list({ limit: 10 });
  const refs = items.filter(() => randomInt(2) === 0).map(({ seq }) => ({ seq }));
  const [first = { seq: 1 }] = refs;
  const calls = [
    () => inbox.markMany(refs, one(["read", "unread", "seen", "archived", "unarchived"] as const)),
    () => inbox.snooze(first, new Date(nowMs + 2 * SECOND_MS)),
    () => inbox.removeMany(refs),
    () => inbox.markAllRead(),
    () => inbox.group("thread 0").mark("archived"),
  ];
  return await one(calls)();
}

/** Does one thing, in a service; `ids` are of what there is to delete. */
async function operate(service: NotificationService, ids: string[], nowMs: number): Promise<void> {
  const kind = randomInt(100);
  if (kind < 45) {
    ids.push(await create(service, nowMs));
  } else if (kind < 65) {
    const [id] = ids.splice(randomInt(Math.max(ids.length, 1)), 1);
    await (id === undefined ? null : service.delete(id));
  } else if (kind < 70) {
    await service.deleteUser(one(USERS));
    await service.topics.subscribe(TOPIC, [...USERS]);
  } else if (kind < 75) {
    await service.sweep();
  } else if (kind < 80) {
    await (ids.length === 0 ? null : service.cancel(one(ids)));
  } else {
    await change(service.inbox(one(USERS)), nowMs);
  }
}

/** An inbox's counts, and those of its groups, beside a recount of its items. */
async function countsOf(inbox: Inbox) {
  const { items, counts } = await inbox.list({ limit: 1_000 });
  const recount = (some: typeof items) => [some.length, some.filter(({ readAt }) => readAt === null).length];
  const groups = new Map((await inbox.groups()).groups.map(({ group, total, unread }) => [group, [total, unread]]));
  const named = ["thread 0", "thread 1"];
  return {
    counted: [[counts.total, counts.unread], counts.unseen, ...named.map((group) => groups.get(group) ?? [0, 0])],
    recounted: [
      recount(items),
      items.filter(({ isSeen }) => !isSeen).length,
      ...named.map((group) => recount(items.filter((item) => item.group === group))),
    ],
  };
}

onEveryStorage((database) => {
  function serviceAt(clock: TestClock): NotificationService {
    const retention = { readMs: 5 * SECOND_MS, deliveriesMs: 4 * SECOND_MS };
    const options = { channels: [channel], retention, clock, logger: silent };
    return stopsAfterTest(new NotificationService({ storage: database.storage(), ...options })) as unknown as NotificationService;
  }

  test("what is deleted while others write leaves true counts, in every inbox and group", {
    timeout: ROUNDS * 2_000 + 60_000,
  }, async () => {
    const clock = testClock();
    const services = [serviceAt(clock), serviceAt(clock)];
    await one(services).topics.subscribe(TOPIC, [...USERS]);
    const ids: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const nowMs = clock.now();
      const operations = Array.from({ length: AT_ONCE }, () => operate(one(services), ids, nowMs));
      const results = await Promise.allSettled([...operations, ...services.map((service) => service.runDue())]);
      const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      expect(failures.filter((failure) => !(failure instanceof BelfryError && LATE.includes(failure.code)))).toEqual([]);
      await clock.pass(SECOND_MS);
      await Promise.all(services.map((service) => service.runDue()));
      for (const user of USERS) {
        const { counted, recounted } = await countsOf(one(services).inbox(user));
        expect({ round, user, counted }).toEqual({ round, user, counted: recounted });
      }
    }
    // Nothing that is being deleted is left.
    for (const id of ids) {
      await one(services)
        .delete(id)
        .catch(() => null);
    }
    expect((await one(services).list()).total).toBe(0);
  });
});
