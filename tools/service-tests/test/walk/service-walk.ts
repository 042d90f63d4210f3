import type { BelfryError, NotificationService } from "@belfry/core";
import { turns } from "@belfry/testkit/host";
import type { Database } from "better-sqlite3";
import fc from "fast-check";
import { elsewhere, type Follower, type Shared, type WalkOptions, WalkProcess } from "./walk-process.ts";

/** More than a create writes at once. */
const MANY = Array.from({ length: 1_001 }, (_, at) => `user${at}`);
const HOUR_MS = 3_600_000;
const STEP_MS = 5_000;
/** Longer than all leases, limits and retries together. */
const MAX_STEPS = 120;
/** Of what another process accepted: it counts as delivered here only after the last start. */
const NOT_HERE = -1;
/** The errors that a call may be refused with. */
const REFUSALS: readonly string[] = ["SERVICE_STOPPED", "STORAGE_UNAVAILABLE"];

/** How the services of a walk are set up. */
export const walkOptions: fc.Arbitrary<WalkOptions> = fc.record({
  pollIntervalMs: fc.constantFrom(0, 5_000),
  concurrency: fc.constantFrom(1, 100),
});

/** One step of a walk; `turns` is for how long the next one waits for it. */
export const step = fc.record({
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constant({ does: "start" } as const) },
    { weight: 2, arbitrary: fc.constant({ does: "stop" } as const) },
    { weight: 1, arbitrary: fc.constant({ does: "stopTwice" } as const) },
    { weight: 2, arbitrary: fc.constant({ does: "restart" } as const) },
    {
      weight: 4,
      arbitrary: fc.record({ does: fc.constant("create" as const), isMany: fc.integer({ min: 0, max: 9 }).map((one) => one === 0) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ does: fc.constant("send" as const), content: fc.constantFrom("fast", "slow", "second", "inbox") }),
    },
    { weight: 2, arbitrary: fc.constant({ does: "createElsewhere" } as const) },
    { weight: 2, arbitrary: fc.constant({ does: "follow" } as const) },
    { weight: 1, arbitrary: fc.constant({ does: "crash" } as const) },
    { weight: 2, arbitrary: fc.constant({ does: "down" } as const) },
    { weight: 2, arbitrary: fc.constant({ does: "up" } as const) },
    { weight: 4, arbitrary: fc.record({ does: fc.constant("pass" as const), ms: fc.constantFrom(1, 500, 1_000, 6_000, 61_000) }) },
  ),
  turns: fc.constantFrom(0, 1, 2, 4, 8),
});

/** One step of a walk. */
export type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

interface Accepted {
  readonly kind: "create" | "send";
  readonly id: string;
  /** The title, or the content. */
  readonly text: string;
  readonly isMany: boolean;
  /** By which process, and how often that was told to stop before; {@link NOT_HERE} for what another process created. */
  readonly by: WalkProcess;
  readonly stops: number;
  /** The followers that were ready before. */
  readonly followers: readonly Follower[];
}

interface Handed {
  readonly name: string;
  readonly by: WalkProcess;
  isSettled: boolean;
}

/** Walks through the life of a service, and says everything that it did wrong. */
export class ServiceWalk {
  readonly wrong: string[] = [];
  readonly #shared: Shared;
  readonly #accepted: Accepted[] = [];
  readonly #handed: Handed[] = [];
  readonly #elsewhere: NotificationService;
  #process: WalkProcess;
  #isDown = false;
  #count = 0;

  /** The walk closes `database`, which has Belfry's tables. */
  constructor(options: WalkOptions, database: Database) {
    this.#shared = { options, database, delivered: new Set() };
    this.#process = new WalkProcess(this.#shared, undefined);
    this.#elsewhere = elsewhere(this.#shared.database, (signals) => this.#process.hear(signals));
  }

  async walk(steps: readonly Step[]): Promise<void> {
    for (const { what, turns: count } of steps) {
      await this.#take(what);
      await turns(count);
    }
    await this.#end();
    await this.#elsewhere.stop();
    this.#shared.database.close();
  }

  async #take(what: Step["what"]): Promise<void> {
    switch (what.does) {
      case "start":
        return this.#start();
      case "stop":
        return this.#stop();
      case "stopTwice":
        this.#stop();
        return this.#stop();
      case "restart":
        this.#stop();
        return this.#start();
      case "create":
        return this.#create(what.isMany);
      case "createElsewhere":
        return this.#createElsewhere();
      case "send":
        return this.#send(what.content);
      case "follow":
        return this.#hand("follow", this.#process.follow());
      case "crash":
        return this.#crash();
      case "down":
      case "up":
        return this.#setDown(what.does === "down");
      case "pass":
        return this.#pass(what.ms);
    }
  }

  #crash(): void {
    this.#process.die();
    this.#process = new WalkProcess(this.#shared, this.#process.clock.now());
    this.#setDown(this.#isDown);
  }

  #setDown(isDown: boolean): void {
    this.#isDown = isDown;
    this.#process.watched.database.isDown = isDown;
  }

  #start(): void {
    this.#process.orders += 1;
    this.#hand("start", this.#process.notifications.start());
  }

  #stop(): void {
    const process = this.#process;
    process.orders += 1;
    process.stops += 1;
    const { orders } = process;
    const stopped = process.notifications.stop().then(() => {
      if (process.orders === orders && process.clock.pending > 0) {
        this.wrong.push(`${process.clock.pending} timers run after a stop`);
      }
    });
    this.#hand("stop", stopped, []);
  }

  #create(isMany: boolean): void {
    this.#count += 1;
    const title = `Notification ${this.#count}`;
    const to = isMany ? [...MANY, "ann"] : ["ann", "bob"];
    const accept = this.#acceptance("create", title, isMany);
    this.#hand(
      "create",
      this.#process.notifications.create({ to, title }).then(({ notification }) => accept(notification.id)),
    );
  }

  /** Whether this process runs or not: it tells those who follow, once it runs. */
  #createElsewhere(): void {
    this.#count += 1;
    const title = `Notification ${this.#count}`;
    const accept = this.#acceptance("create", title, false, NOT_HERE);
    this.#hand(
      "create elsewhere",
      this.#elsewhere.create({ to: ["ann", "bob"], title }).then(({ notification }) => accept(notification.id)),
    );
  }

  #send(content: string): void {
    this.#count += 1;
    const accept = this.#acceptance("send", content, false);
    const over = content === "inbox" ? { fallback: { channel: "record" } } : { channels: ["record"] };
    this.#hand(
      "send",
      this.#process.notifications.create({ ...over, to: "carl", message: content }).then(({ notification }) => accept(notification.id)),
    );
  }

  #acceptance(kind: Accepted["kind"], text: string, isMany: boolean, stops = this.#process.stops): (id: string) => void {
    const by = this.#process;
    const followers = by.followers.filter(({ isReady }) => isReady);
    return (id) => void this.#accepted.push({ kind, id, text, isMany, by, stops, followers });
  }

  #hand(name: string, promise: Promise<unknown>, refusals = REFUSALS): void {
    const handed: Handed = { name, by: this.#process, isSettled: false };
    this.#handed.push(handed);
    promise
      .catch((error: BelfryError) => {
        if (!refusals.includes(error.code)) {
          this.wrong.push(`${name} was refused: ${error.stack}`);
        }
      })
      .finally(() => {
        handed.isSettled = true;
      });
  }

  async #pass(ms: number): Promise<void> {
    for (const kind of await this.#process.pass(ms)) {
      this.wrong.push(`logged more than once a minute: ${kind}`);
    }
  }

  /** The database is up again, and time passes. */
  async #end(): Promise<void> {
    this.#setDown(false);
    const process = this.#process;
    const isSettled = () => this.#handed.every((one) => one.isSettled || one.by.isDead);
    await this.#until(isSettled, () =>
      this.#handed.filter((one) => !one.isSettled && !one.by.isDead).map(({ name }) => `${name} never settled`),
    );
    await this.#delivers("without another start", ({ by, stops }) => by === process && stops === process.stops);
    this.#start();
    await this.#until(isSettled, () => ["the last start never settled"]);
    await this.#delivers("after the last start", () => true);
    await this.#heard();
    this.#stop();
    await this.#until(isSettled, () => ["the last stop never settled"]);
    await this.#pass(HOUR_MS);
    if (process.watched.whileClosed.length > 0) {
      this.wrong.push(`asked of a storage that is closed: ${process.watched.whileClosed}`);
    }
  }

  async #delivers(when: string, isMeant: (accepted: Accepted) => boolean): Promise<void> {
    let missing = this.#accepted.filter(isMeant);
    const areDelivered = async () => {
      const still: Accepted[] = [];
      for (const one of missing) {
        if (!(await this.#isDelivered(one))) {
          still.push(one);
        }
      }
      missing = still;
      return still.length === 0;
    };
    await this.#until(areDelivered, () => missing.map(({ kind, text, id }) => `${kind} ${text} ${id} not delivered ${when}`));
  }

  async #isDelivered({ kind, id, text, isMany }: Accepted): Promise<boolean> {
    const { notifications } = this.#process;
    if (kind === "send") {
      const { status } = await notifications.get(id);
      // Nobody follows Carl: it has failed.
      return text === "inbox" ? status !== "pending" : status === "delivered" && this.#shared.delivered.has(id);
    }
    for (const user of isMany ? [MANY[0], MANY.at(-1), "ann"] : ["ann", "bob"]) {
      const { items } = await notifications.inbox(user ?? "").list({ limit: 100 });
      if (items.filter((item) => item.title === text).length !== 1) {
        return false;
      }
    }
    return true;
  }

  /** Whoever follows hears of everything once, over all stops. */
  async #heard(): Promise<void> {
    const created = this.#accepted.filter(({ kind }) => kind === "create");
    const missed = () =>
      this.#process.followers.flatMap((follower) =>
        created.filter(({ followers, text }) => followers.includes(follower) && !follower.heard.includes(text)),
      );
    await this.#until(
      () => missed().length === 0,
      () => missed().map(({ text }) => `${text} was not heard by who follows`),
    );
    if (this.#process.followers.some(({ heard }) => new Set(heard).size < heard.length)) {
      this.wrong.push("somebody who follows heard something twice");
    }
  }

  /** Lets time pass until `isSo`; if it never is, says what is wrong. */
  async #until(isSo: () => boolean | Promise<boolean>, otherwise: () => readonly string[]): Promise<void> {
    for (let at = 0; at < MAX_STEPS; at += 1) {
      await turns(10);
      if (await isSo()) {
        return;
      }
      await this.#pass(STEP_MS);
    }
    this.wrong.push(...otherwise());
  }
}
