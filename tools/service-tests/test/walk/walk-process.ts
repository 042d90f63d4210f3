import { type Channel, NotificationService } from "@belfry/core";
import type { Signal, Transport, TransportListener } from "@belfry/core/storage";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { type TestClock, testClock, turns } from "@belfry/testkit/host";
import type { Database } from "better-sqlite3";
import { type WatchedStorage, watchedStorage } from "./watched-storage.ts";

/** More than a walk has crashes: each may cost an attempt. */
const RETRY_DELAYS_MS = Array.from({ length: 40 }, () => 20_000);
const SLOW_MS = 5_000;
const MINUTE_MS = 60_000;

/** How the services of a walk are set up. */
export interface WalkOptions {
  /** How often to look for lost signals. With 0, none is lost. */
  readonly pollIntervalMs: number;
  /** How many deliveries at once. */
  readonly concurrency: number;
}

/** The state that all processes of a walk share. */
export interface Shared {
  readonly options: WalkOptions;
  readonly database: Database;
  /** The notifications that the channel of a living process has delivered. */
  readonly delivered: Set<string>;
}

/** Who follows Ann's inbox. */
export interface Follower {
  readonly heard: string[];
  /** Whether nothing is missed from then on. */
  isReady: boolean;
}

/** Another process on the same database, which lives through the whole walk and creates notifications. */
export function elsewhere(database: Database, publish: (signals: readonly Signal[]) => void): NotificationService {
  return new NotificationService({
    storage: sqliteStorage(database),
    transport: { pollIntervalMs: 0, async start() {}, publish, async stop() {} },
    delivery: { worker: false },
    hub: { worker: false },
    clock: testClock(),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
}

/** One process of a walk: a service, with a clock of its own that stops with it. */
export class WalkProcess {
  readonly clock: TestClock;
  readonly watched: WatchedStorage;
  readonly notifications: NotificationService;
  readonly followers: Follower[] = [];
  /** How often it was told to stop. */
  stops = 0;
  /** How often it was told to start or to stop. */
  orders = 0;
  isDead = false;
  readonly #shared: Shared;
  readonly #transport: Transport;
  #lines: { readonly atMs: number; readonly kind: string }[] = [];

  constructor(shared: Shared, nowMs: number | undefined) {
    this.#shared = shared;
    this.clock = nowMs === undefined ? testClock() : testClock(new Date(nowMs));
    this.watched = watchedStorage(shared.database);
    this.#transport = this.#newTransport();
    const line = (_: object, message: string) => void this.#lines.push({ atMs: this.clock.now(), kind: message });
    this.notifications = new NotificationService({
      storage: this.watched.storage,
      transport: this.#transport,
      channels: [this.#channel()],
      delivery: { concurrency: shared.options.concurrency },
      clock: this.clock,
      logger: { debug() {}, info() {}, warn: line, error: line },
    });
  }

  die(): void {
    this.isDead = true;
    this.watched.die();
  }

  /** Lets time pass; answers the kinds of lines that were logged more often than once a minute meanwhile. */
  async pass(ms: number): Promise<string[]> {
    // Calls in flight report their own results.
    await turns(5);
    this.#lines = [];
    await this.clock.pass(ms);
    const seconds = Map.groupBy(this.#lines, ({ kind }) => kind);
    const limit = Math.floor(ms / MINUTE_MS) + 1;
    return [...seconds].filter(([, lines]) => new Set(lines.map(({ atMs }) => atMs)).size > limit).map(([kind]) => kind);
  }

  /** Follows Ann's inbox; the promise is that of the subscription. */
  follow(): Promise<void> {
    const follower: Follower = { heard: [], isReady: false };
    this.followers.push(follower);
    const subscription = this.notifications.inbox("ann").subscribe({
      onEvent: (event) => {
        if (event.change === "created") {
          follower.heard.push(event.item?.title ?? "");
        }
      },
      onState() {},
    });
    return subscription.ready.then(() => {
      follower.isReady = true;
    });
  }

  /** Another process has published signals; they arrive while this one listens. Content does not travel. */
  hear(signals: readonly Signal[]): void {
    this.#transport.publish(
      signals.flatMap((signal) => {
        if ("topic" in signal) {
          return [];
        }
        const { notification: _, item: __, ...hint } = signal;
        return [hint];
      }),
    );
  }

  /** Starts only while the database is there, and loses signals without it if somebody looks for lost ones. */
  #newTransport(): Transport {
    const { pollIntervalMs } = this.#shared.options;
    let listener: TransportListener | null = null;
    return {
      pollIntervalMs,
      start: async (to) => {
        // Fails as the storage does.
        await this.watched.storage.presence?.renew("", 0);
        listener = to;
      },
      publish: (signals) => {
        if (pollIntervalMs === 0 || !this.watched.database.isDown) {
          queueMicrotask(() => listener?.onSignals(signals));
        }
      },
      stop: async () => {
        listener = null;
      },
    };
  }

  /** Delivers at once, slowly, or at the second attempt, as the content says. */
  #channel(): Channel {
    return {
      name: "record",
      retryDelaysMs: RETRY_DELAYS_MS,
      timeoutMs: 30_000,
      invalidRecipient: () => null,
      deliver: async ({ message, attempt, notificationId }, signal) => {
        if (message === "slow") {
          await this.#pause(signal);
        }
        if (message === "second" && attempt === 1) {
          return { status: "failed", transient: true, provider: "record", error: "Not yet." };
        }
        if (!this.isDead && !signal.aborted) {
          this.#shared.delivered.add(notificationId);
        }
        return signal.aborted
          ? { status: "failed", transient: true, provider: "record", error: "Aborted." }
          : { status: "delivered", provider: "record" };
      },
    };
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.clock.after(SLOW_MS, resolve);
    signal.addEventListener("abort", () => resolve());
    await promise;
    cancel();
  }
}
