import { BelfryError, type Inbox, type InboxListener, type InboxPosition, NotificationService } from "@belfry/core";
import { inboxV1 } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import type { FreshDatabase } from "@belfry/postgres-launcher";
import { moveTenant, postgresStorage } from "@belfry/storage-postgres";
import { recorder } from "@belfry/testkit/host";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migratedPostgres } from "../../../../test/migrated-postgres.ts";
import { silent } from "../silent.ts";

/** A database with a service on it that does all the work. */
interface Place {
  readonly database: FreshDatabase;
  readonly pool: pg.Pool;
  readonly notifications: NotificationService;
  readonly mails: ReturnType<typeof recorder>;
}

const USERS = ["ann", "bob", "cat"];
/** How many creates come before, while and after it moves, of each user. */
const CREATES = process.env.BELFRY_LONG ? 400 : 15;

let places: Place[];
let isOver = false;

beforeEach(async () => {
  isOver = false;
  places = await Promise.all([place(), place()]);
});
afterEach(async () => {
  isOver = true;
  await Promise.all(places.map(({ notifications }) => notifications.stop()));
  await Promise.all(places.map(({ pool }) => pool.end()));
  await Promise.all(places.map(({ database }) => database.drop()));
});

async function place(): Promise<Place> {
  const database = await migratedPostgres();
  const pool = new pg.Pool({ connectionString: database.url });
  const mails = recorder({ name: "email" });
  const notifications = new NotificationService({ storage: postgresStorage(pool, { logger: silent }), channels: [mails], logger: silent });
  await notifications.start();
  return { database, pool, notifications, mails };
}

/** Leaves the processor to others. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

const isFrozen = (error: unknown) => error instanceof BelfryError && error.retryable && error.details.concerns === "tenant";

/** A client of an inbox: it follows it, connects again wherever the tenant is then, and goes on at its position. */
class Follower {
  readonly seqs: number[] = [];
  readonly #user: string;
  misses = 0;
  #position: InboxPosition | undefined;
  #subscription: ReturnType<Inbox["subscribe"]> | null = null;

  constructor(user: string) {
    this.#user = user;
  }

  async connect({ notifications }: Place): Promise<void> {
    this.close();
    const listener: InboxListener = {
      onEvent: ({ change, seq, epoch }) => {
        if (change === "created") {
          this.seqs.push(seq);
          this.#position = { seq, epoch };
        }
      },
      onState: (recovered) => {
        this.misses += recovered ? 0 : 1;
      },
    };
    this.#subscription = notifications.tenant("acme").inbox(this.#user).subscribe(listener, this.#position);
    await this.#subscription.ready;
  }

  close(): void {
    this.#subscription?.close();
  }
}

test("a tenant moves while it creates, marks, delivers and streams: nothing is lost or doubled, and another tenant notices nothing", {
  timeout: 180_000,
}, async () => {
  const [old, fresh] = places as [Place, Place];
  let at = old;
  let frozen = 0;
  const accepted: string[] = [];
  const marks = new Map<string, number>();
  const others = { created: 0, failures: [] as unknown[] };

  /** Does something for the tenant wherever it is, again for as long as it is frozen. */
  async function insist(work: (notifications: ReturnType<NotificationService["tenant"]>) => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await work(at.notifications.tenant("acme"));
        return;
      } catch (error) {
        if (!isFrozen(error)) {
          throw error;
        }
        frozen += 1;
        await pause();
      }
    }
  }

  async function load(user: string): Promise<void> {
    for (let number = 1; !isOver; number += 1) {
      const name = `${user}-${number}@example.com`;
      // A retry has the key of the first call, so that it makes no second one, wherever it arrives.
      await insist((acme) => acme.create({ to: [user, { email: name }], title: name, idempotencyKey: name }));
      accepted.push(name);
      await pause();
      if (number % 2 === 0) {
        await insist((acme) => acme.inbox(user).markRead({ seq: number }));
        marks.set(user, (marks.get(user) ?? 0) + 1);
      }
    }
  }

  async function loadOthers(): Promise<void> {
    while (!isOver) {
      try {
        await old.notifications.tenant("globex").create({ to: ["zoe", { email: `zoe-${others.created}@example.com` }], title: "x" });
        others.created += 1;
        await pause();
      } catch (error) {
        others.failures.push(error);
      }
    }
  }

  // Waits for its time, and goes out at the new place.
  await old.notifications
    .tenant("acme")
    .create({ to: { email: "later@example.com" }, title: "Later", scheduledAt: new Date(Date.now() + 3_600_000) });
  const followers = USERS.map((user) => new Follower(user));
  await Promise.all(followers.map((follower) => follower.connect(at)));
  const loads = Promise.all([...USERS.map(load), loadOthers()]);
  const more = async () => {
    const before = accepted.length;
    const enough = expect.poll(() => accepted.length, { timeout: 30_000 }).toBeGreaterThan(before + CREATES * USERS.length);
    // A load that fails ends the test at once.
    await Promise.race([enough, loads]);
  };
  await more();
  const handler = createHandler(old.notifications, {
    contracts: [inboxV1()],
    auth: () => ({ kind: "user", userId: "ann", tenant: "acme" }),
  });
  const answers: Response[] = [];
  const moved = await moveTenant({
    ...{ tenant: "acme", from: old.pool, to: fresh.pool },
    async switchOver() {
      await expect.poll(() => frozen, { timeout: 20_000 }).toBeGreaterThan(0);
      answers.push(await handler.fetch(new Request("http://localhost/api/v1/notifications/read-all", { method: "POST" })));
      at = fresh;
      await Promise.all(followers.map((follower) => follower.connect(at)));
    },
  });
  await more();
  isOver = true;
  await loads;

  expect(moved.rows).toBeGreaterThan(0);
  const delivered = () =>
    places.flatMap(({ mails }) => mails.tasks.filter(({ tenant }) => tenant === "acme").map(({ recipient }) => recipient));
  await expect.poll(() => delivered().length, { timeout: 30_000 }).toBe(accepted.length);
  expect(delivered().toSorted()).toEqual(accepted.toSorted());
  expect(places.map(({ mails }) => mails.of("later@example.com").length)).toEqual([0, 0]);
  for (const [index, user] of USERS.entries()) {
    const total = accepted.filter((name) => name.startsWith(user)).length;
    const inbox = fresh.notifications.tenant("acme").inbox(user);
    expect(await inbox.counts()).toMatchObject({ total, lastSeq: total, unread: total - (marks.get(user) ?? 0) });
    await expect.poll(() => followers[index]?.seqs.length).toBe(total);
    expect(followers[index]?.misses).toBe(0);
    expect(followers[index]?.seqs).toEqual(Array.from({ length: total }, (_, seq) => seq + 1));
    expect(await old.notifications.tenant("acme").inbox(user).counts()).toMatchObject({ total: 0, lastSeq: 0 });
  }
  expect(answers.map(({ status, headers }) => [status, Number(headers.get("retry-after")) > 0])).toEqual([[503, true]]);
  expect((await fresh.notifications.tenant("acme").operator.search({ status: "pending" })).notifications).toMatchObject([
    { title: "Later" },
  ]);
  expect((await old.notifications.tenant("acme").list({ limit: 10 })).sends).toEqual([]);

  expect([others.failures, others.created > 0]).toEqual([[], true]);
  expect(await old.notifications.tenant("globex").inbox("zoe").counts()).toMatchObject({ total: others.created });
  await expect.poll(() => old.mails.tasks.filter(({ tenant }) => tenant === "globex").length, { timeout: 30_000 }).toBe(others.created);
  for (const follower of followers) {
    follower.close();
  }
});
