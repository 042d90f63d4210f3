import { BelfryError, type Inbox, type InboxListener, type InboxPosition, NotificationService } from "@belfry/core";
import type { FreshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { recorder } from "@belfry/testkit/host";
import pg from "pg";
import { expect } from "vitest";
import { migratedPostgres } from "../../../../test/migrated-postgres.ts";
import { silent } from "../silent.ts";

/** A database with a service on it that does all the work. */
export interface Place {
  readonly database: FreshDatabase;
  readonly pool: pg.Pool;
  readonly notifications: NotificationService;
  readonly mails: ReturnType<typeof recorder>;
}

const USERS = ["ann", "bob", "cat"];
const WAIT = { timeout: 120_000 };

async function openPlace(): Promise<Place> {
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

/** The load of the tenant `acme`, which moves from `old` to `fresh`, and of `globex`, which stays; and what both have to find in the end. */
export class MovingLoad {
  readonly old: Place;
  readonly fresh: Place;
  /** How many writes were refused, because the tenant was frozen. */
  frozen = 0;
  /** The addresses of the sends that were accepted. */
  readonly #accepted: string[] = [];
  readonly #marks = new Map<string, number>();
  readonly #others = { created: 0, failures: [] as unknown[] };
  readonly #followers = USERS.map((user) => new Follower(user));
  #at: Place;
  #isOver = false;
  #loads: Promise<unknown> = Promise.resolve();

  private constructor(old: Place, fresh: Place) {
    this.old = old;
    this.fresh = fresh;
    this.#at = old;
  }

  /** Opens two places, and begins. */
  static async begin(): Promise<MovingLoad> {
    const [old, fresh] = await Promise.all([openPlace(), openPlace()]);
    const load = new MovingLoad(old, fresh);
    // It waits for its time, and goes out at the new place.
    await old.notifications
      .tenant("acme")
      .create({ to: { email: "later@example.com" }, title: "Later", scheduledAt: new Date(Date.now() + 3_600_000) });
    await Promise.all(load.#followers.map((follower) => follower.connect(old)));
    load.#loads = Promise.all([...USERS.map((user) => load.#load(user)), load.#loadOthers()]);
    return load;
  }

  /** Waits until so many more creates of each user were accepted. */
  async more(creates = 15): Promise<void> {
    const before = this.#accepted.length;
    await this.#unlessFailed(expect.poll(() => this.#accepted.length, WAIT).toBeGreaterThan(before + creates * USERS.length));
  }

  /** Waits until another write was refused. */
  async isFrozen(): Promise<void> {
    const before = this.frozen;
    await this.#unlessFailed(expect.poll(() => this.frozen, WAIT).toBeGreaterThan(before));
  }

  /** Sends the tenant to the new place. */
  async switchOver(): Promise<void> {
    this.#at = this.fresh;
    await Promise.all(this.#followers.map((follower) => follower.connect(this.fresh)));
  }

  /** Ends the load, and expects that nothing was lost or doubled, and that the other tenant noticed nothing. */
  async end(): Promise<void> {
    const { old, fresh } = this;
    this.#isOver = true;
    await this.#loads;
    const sentTo = (tenant: string) =>
      [old, fresh].flatMap(({ mails }) => mails.tasks.filter((task) => task.tenant === tenant).map(({ recipient }) => recipient));
    await expect.poll(() => sentTo("acme").length, WAIT).toBe(this.#accepted.length);
    expect(sentTo("acme").toSorted()).toEqual(this.#accepted.toSorted());
    for (const [index, user] of USERS.entries()) {
      const total = this.#accepted.filter((name) => name.startsWith(user)).length;
      const inbox = fresh.notifications.tenant("acme").inbox(user);
      expect(await inbox.counts()).toMatchObject({ total, lastSeq: total, unread: total - (this.#marks.get(user) ?? 0) });
      const follower = this.#followers[index];
      await expect.poll(() => follower?.seqs.length).toBe(total);
      expect(follower).toMatchObject({ misses: 0, seqs: Array.from({ length: total }, (_, seq) => seq + 1) });
      expect(await old.notifications.tenant("acme").inbox(user).counts()).toMatchObject({ total: 0, lastSeq: 0 });
    }
    expect((await fresh.notifications.tenant("acme").operator.search({ status: "pending" })).notifications).toMatchObject([
      { title: "Later" },
    ]);
    expect((await old.notifications.tenant("acme").list({ limit: 10 })).sends).toEqual([]);
    const { failures, created } = this.#others;
    expect([failures, created > 0]).toEqual([[], true]);
    expect(await old.notifications.tenant("globex").inbox("zoe").counts()).toMatchObject({ total: created });
    await expect.poll(() => sentTo("globex").length, WAIT).toBe(created);
  }

  /** Ends everything, whatever has failed. */
  async close(): Promise<void> {
    this.#isOver = true;
    for (const follower of this.#followers) {
      follower.close();
    }
    const places = [this.old, this.fresh];
    await Promise.all(places.map(({ notifications }) => notifications.stop()));
    await Promise.all(places.map(({ pool }) => pool.end()));
    await Promise.all(places.map(({ database }) => database.drop()));
  }

  /** A load that fails ends a wait at once. */
  async #unlessFailed(wait: Promise<unknown>): Promise<void> {
    await Promise.race([wait, this.#loads]);
  }

  async #load(user: string): Promise<void> {
    for (let number = 1; !this.#isOver; number += 1) {
      const name = `${user}-${number}@example.com`;
      // A retry has the key of the first call, so that it makes no second one, wherever it arrives.
      await this.#insist((acme) => acme.create({ to: [user, { email: name }], title: name, idempotencyKey: name }));
      this.#accepted.push(name);
      await pause();
      if (number % 2 === 0) {
        await this.#insist((acme) => acme.inbox(user).markRead({ seq: number }));
        this.#marks.set(user, (this.#marks.get(user) ?? 0) + 1);
      }
    }
  }

  /** Does something for the tenant wherever it is, again for as long as it is frozen. */
  async #insist(work: (notifications: ReturnType<NotificationService["tenant"]>) => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await work(this.#at.notifications.tenant("acme"));
        return;
      } catch (error) {
        if (!isFrozen(error)) {
          throw error;
        }
        this.frozen += 1;
        await pause();
      }
    }
  }

  async #loadOthers(): Promise<void> {
    while (!this.#isOver) {
      const { created } = this.#others;
      try {
        await this.old.notifications.tenant("globex").create({ to: ["zoe", { email: `zoe-${created}@example.com` }], title: "x" });
        this.#others.created += 1;
        await pause();
      } catch (error) {
        this.#others.failures.push(error);
      }
    }
  }
}
