import type { NotificationService } from "@belfry/core";
import { expect } from "vitest";
import type { WebhookPeer } from "../../../examples/server/test/webhook-peer.ts";
import type { InboxFollower } from "./inbox-follower.ts";
import { SeededRandom } from "./seeded-random.ts";

/** How many transactions of the host the test tries, and for how many users. */
export const TRIALS = process.env.BELFRY_LONG ? 10_000 : 60;
export const TRIALS_TIMEOUT_MS = process.env.BELFRY_LONG ? 600_000 : 120_000;
/** Signs the webhooks of all processes. */
export const WEBHOOK_SECRET = `whsec_${Buffer.from("a secret of all processes of the trials").toString("base64")}`;
export const USERS = ["ann", "bob", "carl", "dora", "eve"] as const;

/**
 * The outcome of a trial's order and its notification: both exist, none, only the order (the host went back to a savepoint
 * before the notification), or, if the connection was lost during the commit, both or none.
 */
export type Outcome = "both" | "none" | "order only" | "both or none";

/** One transaction of the host: an order, and a notification about it. */
export interface Trial<Fate> {
  readonly number: number;
  readonly userId: string;
  readonly fate: Fate;
}

/** How often a trial's order, its notification and the effects of it were found. */
export interface Trace {
  order: number;
  notification: number;
  /** Items that the inbox lists, and items in the storage's table. */
  listed: number;
  item: number;
  /** Events of the service: for the created notification, and for the send. */
  event: number;
  sendEvent: number;
  /** Frames on a socket of the same process, and of another process if there is one. */
  frame: number;
  frameElsewhere: number;
  /** Deliveries that are `delivered` in the database, and webhooks that arrived. */
  delivered: number;
  received: number;
}

const NOTHING: Trace = {
  order: 0,
  notification: 0,
  listed: 0,
  item: 0,
  event: 0,
  sendEvent: 0,
  frame: 0,
  frameElsewhere: 0,
  delivered: 0,
  received: 0,
};

/** The seed of this run's random numbers. Error texts contain it, so that the run can be repeated. */
const SEED = Number(process.env.BELFRY_TRIALS_SEED ?? Date.now());

/** Makes the trials of a run: the same ones for the same seed. */
export function makeTrials<Fate>(fates: readonly [Fate, ...Fate[]]): Trial<Fate>[] {
  const random = new SeededRandom(SEED);
  return Array.from({ length: TRIALS }, (_, index) => ({ number: index + 1, userId: random.pick(USERS), fate: random.pick(fates) }));
}

/** Makes the mistake that a trial is about. */
export class TrialFailure extends Error {}

/** Ignores the mistake of a trial, and nothing else. */
export function ignoreFailure(error: unknown): void {
  if (!(error instanceof TrialFailure)) {
    throw error;
  }
}

/** The traces found of every trial. */
export class TrialTraces {
  readonly #traces = new Map<number, Trace>();

  /** Counts the orders in `rows` by their numbers. */
  count(what: keyof Trace, rows: Iterable<unknown>): void {
    for (const row of rows) {
      const number = Number(row);
      const trace = this.#traces.get(number) ?? { ...NOTHING };
      this.#traces.set(number, { ...trace, [what]: trace[what] + 1 });
    }
  }

  /** Counts the trials' items as their owners see them. */
  async countListed(notifications: NotificationService): Promise<void> {
    for (const user of USERS) {
      let cursor: string | null = null;
      do {
        const page = await notifications.inbox(user).list({ limit: 100, ...(cursor === null ? {} : { cursor }) });
        this.count("listed", ordersOf(page.items));
        cursor = page.nextCursor;
      } while (cursor !== null);
    }
  }

  /** Compares the traces with the outcome of each trial. `hasElsewhere` says whether another process has sockets, too. */
  expectOutcomes(trials: readonly Trial<{ readonly name: string; readonly outcome: Outcome }>[], hasElsewhere: boolean): void {
    const everything = Object.fromEntries(Object.keys(NOTHING).map((name) => [name, 1])) as unknown as Trace;
    const all: Trace = { ...everything, frameElsewhere: hasElsewhere ? 1 : 0 };
    const expected: Readonly<Record<Outcome, readonly Trace[]>> = {
      both: [all],
      none: [NOTHING],
      "order only": [{ ...NOTHING, order: 1 }],
      // The creating process cannot know the outcome; processes that look at the database do.
      "both or none": [all, { ...all, event: 0, sendEvent: 0 }, NOTHING],
    };
    const wrong = trials.flatMap((trial) => {
      const trace = this.#traces.get(trial.number) ?? NOTHING;
      const isRight = expected[trial.fate.outcome].some((one) => JSON.stringify(one) === JSON.stringify(trace));
      return isRight ? [] : [{ trial: trial.number, fate: trial.fate.name, outcome: trial.fate.outcome, ...trace }];
    });
    expect(wrong, `BELFRY_TRIALS_SEED=${SEED} makes the same trials`).toEqual([]);
    expect([...this.#traces.keys()].filter((number) => number > trials.length)).toEqual([]);
  }
}

/** The inputs that a trial writes in its transaction besides the order: an inbox item for the user, and a webhook. */
export function trialInputs({ number, userId }: Trial<unknown>, webhooks: WebhookPeer) {
  return {
    notification: { to: userId, title: "Order received", data: { order: number } },
    send: { to: { webhook: webhooks.url }, message: String(number), data: { order: number } },
  };
}

/** The orders of the webhooks that arrived. */
export function ordersReceived({ arrived }: WebhookPeer): unknown[] {
  return arrived.map(({ body }) => (JSON.parse(body) as { readonly data: { readonly content: string } }).data.content);
}

/** Keeps the orders in the service's events. */
export function listen(notifications: NotificationService): { readonly event: unknown[]; readonly sendEvent: unknown[] } {
  const told = { event: [] as unknown[], sendEvent: [] as unknown[] };
  notifications.on("notification.created", ({ notification }) => {
    told[notification.kind === "send" ? "sendEvent" : "event"].push(...ordersOf([notification]));
  });
  return told;
}

/** Waits for the service's events of every notification that was certainly committed. */
export async function allTold(trials: readonly Trial<{ readonly outcome: Outcome }>[], events: readonly unknown[]): Promise<void> {
  const committed = trials.filter(({ fate }) => fate.outcome === "both").map(({ number }) => number);
  await expect.poll(() => committed.filter((number) => !events.includes(number)), { timeout: 10_000 }).toEqual([]);
}

/** The orders in the followers' frames. */
export function ordersToldTo(followers: readonly InboxFollower[]): unknown[] {
  return ordersOf(followers.flatMap(({ created }) => created.map(({ payload }) => ({ data: payload.data as Record<string, unknown> }))));
}

/** The orders of items or notifications. The last one of each user has none. */
export function ordersOf(items: readonly { readonly data: Readonly<Record<string, unknown>> }[]): unknown[] {
  return items.flatMap(({ data }) => data.order ?? []);
}

/**
 * Creates a last notification for every user and waits until all followers have it. Frames come in the order of the inbox,
 * so every other frame has come before it.
 */
export async function tellLast(notifications: NotificationService, followers: readonly InboxFollower[]): Promise<void> {
  for (const user of USERS) {
    await notifications.create({ to: user, title: "last" });
  }
  await Promise.all(followers.map((follower) => follower.until(() => follower.created.at(-1)?.payload.title === "last")));
}
