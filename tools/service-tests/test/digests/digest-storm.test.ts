import { type Clock, type DeliveryTask, type Directory, defineTypes, memoryTransport, NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { type Recorder, recorder, type TestClock, testClock } from "@belfry/testkit/host";
import { describe, expect, onTestFinished, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import type { ServiceDatabase } from "../service-database.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const EVENTS = process.env.BELFRY_LONG ? 10_000 : 150;
const USERS = 10;
// With ten, most of a few events would have a window of their own.
const KEYS = process.env.BELFRY_LONG ? 10 : 3;
const AT_ONCE = 50;
const SEED = Number(process.env.BELFRY_TRIALS_SEED ?? Date.now() % 1_000_000);

const types = defineTypes({
  fixed: { channels: { email: { digest: { windowMs: 60_000, by: ({ data }) => String(data.key), maxItems: 1_000 } } } },
  sliding: {
    channels: {
      email: { digest: { windowMs: 30_000, window: "sliding", maxWindowMs: 90_000, by: ({ data }) => String(data.key), maxItems: 1_000 } },
    },
  },
  leading: { channels: { email: { digest: { windowMs: 60_000, leading: true, by: ({ data }) => String(data.key), maxItems: 1_000 } } } },
});
const TYPES = ["fixed", "sliding", "leading"] as const;

const directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));

/** Numbers from 0 to below 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** A clock that is off by some time. */
function shifted(clock: TestClock, offsetMs: number): Clock {
  return { now: () => clock.now() + offsetMs, after: (delayMs, task) => clock.after(delayMs, task) };
}

/** A storage of a process that is killed at one of its next calls, before the database has it or before the answer comes. */
function killable(storage: Storage, random: () => number): { readonly storage: Storage; readonly died: Promise<void>; spare(): void } {
  let left = 5 + Math.floor(random() * 60);
  const { promise: died, resolve } = Promise.withResolvers<void>();
  const never = new Promise<never>(() => undefined);
  const call = (method: (...args: unknown[]) => unknown, args: unknown[]): unknown => {
    left -= 1;
    if (left > 0) {
      return method(...args);
    }
    const isBefore = random() < 0.5;
    if (left === 0 && !isBefore) {
      return Promise.resolve(method(...args)).then(() => {
        resolve();
        return never;
      });
    }
    resolve();
    return never;
  };
  const part = (of: object): object =>
    new Proxy(of, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value === "function") {
          return (...args: unknown[]) => call(value.bind(target) as (...args: unknown[]) => unknown, args);
        }
        return typeof value === "object" && value !== null ? part(value) : value;
      },
    });
  const parts: readonly PropertyKey[] = ["deliveries", "digests"];
  const proxy = new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value === "function") {
        return value.bind(target);
      }
      return parts.includes(name) ? part(value as object) : value;
    },
  });
  const spare = () => {
    // One that was killed stays so, or it would renew leases of work that it never ends.
    left = left > 0 ? Number.POSITIVE_INFINITY : left;
  };
  return { storage: proxy, died, spare };
}

interface Storm {
  readonly database: ServiceDatabase;
  readonly clock: TestClock;
  readonly mails: Recorder;
  readonly random: () => number;
}

/** Workers that are killed and replaced. */
class Workers {
  readonly #storm: Storm;
  readonly #alive: { readonly service: NotificationService; readonly died: Promise<void>; isDead: boolean; spare(): void }[] = [];
  #mayDie = true;
  killed = 0;

  constructor(storm: Storm) {
    this.#storm = storm;
  }

  /** Lets each of `count` workers do what is due, until it is through or killed. */
  async run(count: number): Promise<void> {
    while (this.#alive.length < count) {
      this.#alive.push(this.#start());
    }
    await Promise.all(
      this.#alive.map(async (worker) => {
        const died = worker.died.then(() => {
          worker.isDead = true;
        });
        await Promise.race([worker.service.runDue(), died]);
      }),
    );
    const left = this.#alive.filter(({ isDead }) => !isDead);
    this.killed += this.#alive.length - left.length;
    this.#alive.splice(0, this.#alive.length, ...left);
  }

  /** Kills no more. */
  spare(): void {
    this.#mayDie = false;
    for (const worker of this.#alive) {
      worker.spare();
    }
  }

  #start() {
    const { database, clock, mails, random } = this.#storm;
    const own = database.storage();
    onTestFinished(() => own.close());
    const { storage, died, spare } = killable(own, random);
    if (!this.#mayDie) {
      spare();
    }
    const offsetMs = Math.floor((random() - 0.5) * 20_000);
    const options = { clock: shifted(clock, offsetMs), types, channels: [mails], directory, logger: silent, transport: memoryTransport() };
    const service = new NotificationService({ storage, ...options }) as unknown as NotificationService;
    return { service, died, spare, isDead: false };
  }
}

/** The notifications of a task, those of a digest or the one alone. */
function idsOf({ digest, notificationId }: DeliveryTask): readonly string[] {
  return digest === null ? [notificationId] : digest.entries.map((entry) => entry.notificationId);
}

/** The notifications that deliveries told of, once for each delivery, and how many deliveries had attempts that said different things. */
function toldBy(tasks: readonly DeliveryTask[]): { readonly told: readonly string[]; readonly differing: number } {
  const deliveries = [...Map.groupBy(tasks, ({ id }) => id).values()].map((attempts) => attempts.map(idsOf));
  const differing = deliveries.filter((attempts) => new Set(attempts.map((ids) => JSON.stringify(ids))).size > 1).length;
  return { told: deliveries.flatMap(([first = []]) => first), differing };
}

onEveryStorage((database) => {
  describe("digests in a storm", () => {
    test(`have each of at least ${EVENTS} events exactly once, whoever is killed and however clocks differ (seed ${SEED})`, {
      timeout: 3_600_000,
    }, async () => {
      const random = randomOf(SEED);
      const clock = testClock();
      const mails = recorder({
        retryDelaysMs: [5_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000],
        answer: ({ attempt }) => (attempt < 3 && random() < 0.1 ? { status: "failed", transient: true, error: "busy" } : undefined),
      });
      const storage = database.storage();
      const options = { storage, clock, types, channels: [mails], directory, logger: silent, transport: memoryTransport() };
      const front = stopsAfterTest(new NotificationService({ ...options, delivery: { worker: false } })) as unknown as NotificationService;
      const workers = new Workers({ database, clock, mails, random });
      const count = storage.hasSingleProcess ? 1 : 3;
      const created: string[] = [];
      const one = async (index: number) => {
        const to = `user ${Math.floor(random() * USERS)}`.replace(" ", "");
        const type = TYPES[index % TYPES.length] ?? "fixed";
        const data = { key: Math.floor(random() * KEYS) };
        const { notification } = await front.create({ type, to, title: `Event ${index}`, message: "Hello", data });
        created.push(notification.id);
      };
      // Few calls may not come to the one at which a worker is killed: it goes on until one is.
      for (let index = 0; index < EVENTS || workers.killed === 0; index += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, place) => one(index + place)));
        await workers.run(count);
        await clock.skip(Math.floor(random() * 15_000));
      }
      workers.spare();
      const isDone = async () => (await front.list({ status: "pending", limit: 1 })).total === 0;
      for (let round = 0; round < 60 && !(await isDone()); round += 1) {
        await clock.skip(30_000);
        await workers.run(count);
      }
      expect(await isDone()).toBe(true);
      const { told, differing } = toldBy(mails.tasks);
      expect(differing).toBe(0);
      expect(told.toSorted()).toEqual(created.toSorted());
      const digests: { readonly state: string; readonly total: number }[] = [];
      for (let user = 0; user < USERS; user += 1) {
        const { records } = await storage.digests.export({ tenant: "default", userId: `user${user}` }, { after: null, limit: 100_000 });
        digests.push(...records);
      }
      expect(new Set(digests.map(({ state }) => state))).toEqual(new Set(["closed"]));
      expect(mails.tasks.length).toBeLessThan(created.length);
    });
  });
});
