import { expect } from "vitest";
import { type DATABASES, emptyDatabase } from "../../test/either-database.ts";
import { API_KEY, type CreateJob, HttpCreates } from "../../test/http-creates.ts";
import { InboxFollower, keepFollowing } from "../../test/inbox-follower.ts";
import { SeededRandom } from "../../test/seeded-random.ts";
import { DatabaseView } from "./database-view.ts";
import { Ledger } from "./ledger.ts";
import { ENDED_WELL, type Expected, judge, NOTHING, type Verdict } from "./oracle.ts";
import { note, percentile, SEED } from "./run.ts";
import { type HookAnswer, hookSink, type MailAnswer, mailSink, type Sink } from "./sinks.ts";
import { Victim, type VictimOptions } from "./victim.ts";

type Cleanup = (task: () => unknown) => void;

/** How long a fault may take until everything is quiet again, whatever else the machine does. */
const QUIET_MS = 180_000;

/** What an arena is for. */
export interface ArenaOptions {
  /** The fault's number, for example `F1`. */
  readonly fault: string;
  readonly kind: (typeof DATABASES)[number];
  /** A database of the test's own. @default an empty one that goes with the test */
  readonly url?: string;
  /** Where processes under test find the database, if a proxy stands before it. @default where it is */
  readonly victimUrl?: string;
  /** More of each notification. @default nothing */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** How many users have a socket each. @default 0 */
  readonly users?: number;
  /** What the sinks do. @default they take everything */
  readonly mail?: (recipient: string, count: number) => MailAnswer;
  readonly hook?: (path: string, count: number) => HookAnswer | Promise<HookAnswer>;
  /** What further mail servers do, which are tried in turn after the first. @default there are none */
  readonly spareMail?: readonly ((recipient: string, count: number) => MailAnswer)[];
  /** Other settings of the processes under test. */
  readonly victim?: Partial<VictimOptions>;
}

const DEFAULTS = { attemptMs: 2_900, leaseMs: 6_000, drainMs: 4_000, retryDelaysMs: [200, 400, 800, 1_600, 1_600], concurrency: 50 };

/**
 * One fault's installation: a database, processes under test on it, and, in the test's own process, the driver and the sinks
 * with their ledger.
 */
export class Arena {
  readonly options: ArenaOptions;
  readonly url: string;
  readonly ledger: Ledger;
  readonly database: DatabaseView;
  readonly mail: Sink;
  readonly spareMail: readonly Sink[];
  readonly hook: Sink;
  readonly victims: Victim[] = [];
  readonly followers: readonly InboxFollower[];
  readonly creates: HttpCreates;
  readonly random: SeededRandom;
  /** How long each accepted request took, from its first attempt, in milliseconds. */
  readonly acceptedAfterMs: number[] = [];
  /** How long it was from the first request to the first receipt, by text, is measured from these. */
  readonly issuedAt = new Map<string, number>();
  readonly #cleanup: Cleanup;

  constructor(parts: Pick<Arena, "options" | "url" | "ledger" | "database" | "mail" | "spareMail" | "hook">, cleanup: Cleanup) {
    ({ options: this.options, url: this.url, ledger: this.ledger, database: this.database, hook: this.hook } = parts);
    ({ mail: this.mail, spareMail: this.spareMail } = parts);
    this.#cleanup = cleanup;
    // Each fault has numbers of its own, so that it does the same alone and among others.
    const salt = [...`${this.options.fault} ${this.options.kind}`].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7);
    this.random = new SeededRandom(SEED ^ salt);
    this.creates = new HttpCreates(
      () => this.victims.map(({ url }) => url),
      (url, job) => this.#ask(url, job),
    );
    this.followers = Array.from({ length: this.options.users ?? 0 }, (_, number) => {
      const user = `user-${number}`;
      return new InboxFollower(user, ({ seq, payload }) => {
        void this.ledger.append({ what: "frame", user, seq, text: String(payload.message) });
      });
    });
  }

  /** Starts a process under test and resolves once it listens. */
  async start(more: Partial<VictimOptions> = {}): Promise<Victim> {
    const victim = this.spawn(more);
    await victim.ready();
    this.victims.push(victim);
    return victim;
  }

  /** Starts a process that may never listen; no requests go to it. */
  spawn(more: Partial<VictimOptions> = {}): Victim {
    const victim = new Victim({
      ...DEFAULTS,
      database: this.options.victimUrl ?? this.url,
      mail: [this.mail, ...this.spareMail].map(({ url }) => url).join(" "),
      ...this.options.victim,
      ...more,
    });
    this.#cleanup(() => (victim.isAlive ? victim.kill() : undefined));
    return victim;
  }

  /** Kills a process, and starts another one in its place. Resolves with how many deliveries the killed one may have had in hand. */
  async replace(victim: Victim): Promise<number> {
    await victim.kill();
    const inHand = await this.database.leased();
    const fresh = this.spawn();
    await fresh.ready();
    this.victims[this.victims.indexOf(victim)] = fresh;
    return inHand;
  }

  /**
   * Connects every user's socket, and lets it connect again whenever it is lost.
   *
   * @param via the URL of a proxy before the only process. @default none
   */
  async follow(via?: string): Promise<void> {
    for (const [number, follower] of this.followers.entries()) {
      const stop = keepFollowing(follower, () => via ?? this.victims[number % this.victims.length]?.url ?? "");
      this.#cleanup(stop);
      await follower.until(() => follower.recovered.length > 0);
    }
  }

  /** Jobs of the given channels in turn; each has a text of its own, which says its channel. */
  *jobs(count: number, channels: readonly string[] = ["email", "webhook", "websocket"]): Generator<CreateJob> {
    for (let number = 0; number < count; number += 1) {
      const channel = channels[number % channels.length] ?? "";
      yield this.job(channel, number);
    }
  }

  job(channel: string, number: number): CreateJob {
    const { fault, kind, users = 1 } = this.options;
    return { userId: `user-${number % Math.max(users, 1)}`, content: `${fault}-${kind}-${channel}-${number}` };
  }

  /** Waits until everything that was asked for has ended, and, for a while, until the sockets have got all items. */
  async quiet({ timeout = QUIET_MS, framesMs = QUIET_MS } = {}): Promise<void> {
    await expect.poll(() => this.database.unsettled().catch(() => -1), { timeout, interval: 200 }).toBe(0);
    const inboxes = await this.database.inboxes();
    const wanted = (user: string) => inboxes.get(user)?.length ?? 0;
    const all = this.followers.map((follower) => follower.until(() => follower.created.length >= wanted(follower.userId)));
    await Promise.race([Promise.all(all), new Promise((resolve) => setTimeout(resolve, framesMs).unref())]);
    // The frames' lines are on the disk with those that come after them.
    await this.ledger.append({ what: "quiet" });
  }

  /** Waits until everything is quiet, asks the oracle, and requires that it found nothing. */
  async expectSound(expected: Expected = ENDED_WELL): Promise<Verdict> {
    await this.quiet();
    const verdict = await this.judge(expected);
    const output = this.victims.map((victim) => victim.output.slice(-2_000)).join("\n");
    expect(verdict.findings, `pnpm chaos --seed ${SEED} does the same. ${output}`).toEqual(NOTHING);
    return verdict;
  }

  /** Asks the oracle. */
  judge(expected: Expected = ENDED_WELL): Promise<Verdict> {
    return judge(this.ledger, this.database, expected);
  }

  /** Notes the figures of a fault on this database. */
  note({ issued, accepted, receipts, duplicates, frames }: Verdict, more: Readonly<Record<string, number | string>> = {}): void {
    const { fault, kind } = this.options;
    const accepting = this.acceptedAfterMs.length === 0 ? {} : { "p99 until accepted": `${percentile(this.acceptedAfterMs, 0.99)} ms` };
    note(`${fault} ${kind}`, { issued, accepted, receipts, duplicates, frames, ...accepting, ...more });
  }

  async #ask(url: string, job: CreateJob): Promise<Response> {
    const { content } = job;
    const [, , channel = ""] = content.split("-");
    if (!this.issuedAt.has(content)) {
      await this.ledger.append({ what: "issued", text: content, channel });
      this.issuedAt.set(content, performance.now());
    }
    const response = await this.post(url, job, channel);
    if (response.ok) {
      const { data } = (await response.clone().json()) as { readonly data: { readonly id: string } };
      await this.ledger.append({ what: "accepted", text: content, id: data.id });
      this.acceptedAfterMs.push(performance.now() - (this.issuedAt.get(content) ?? 0));
    }
    return response;
  }

  /** Asks one server for a notification over `delivery-v1`. Over `fallback`, a mail stands in for a socket. */
  post(url: string, { userId, content }: CreateJob, channel: string): Promise<Response> {
    const recipients = { email: `${content}@sink.test`, webhook: `${this.hook.url}/${content}` };
    const [type, to] = channel === "email" || channel === "webhook" ? [channel, recipients[channel]] : ["websocket", userId];
    return fetch(`${url}/api/v1/notifications/`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": this.keyOf(content), "idempotency-key": content },
      body: JSON.stringify({
        type,
        recipients: [to],
        subject: content,
        content,
        meta: this.options.meta ?? {},
        ...(channel === "fallback" ? { email_fallback: true } : {}),
      }),
    });
  }

  /** The key of the tenant that a text belongs to: of another one if its number has an `x` before it. */
  keyOf(content: string): string {
    return content.includes("-x") ? `${API_KEY} of another` : API_KEY;
  }
}

/** Makes an arena on an empty database, without processes yet. */
export async function arena(options: ArenaOptions, cleanup: Cleanup): Promise<Arena> {
  const url = options.url ?? (await emptyDatabase(options.kind, cleanup));
  const ledger = new Ledger(cleanup);
  const mail = await mailSink({ ledger, cleanup }, options.mail);
  const spareMail = await Promise.all((options.spareMail ?? []).map((answer) => mailSink({ ledger, cleanup }, answer)));
  const hook = await hookSink({ ledger, cleanup }, options.hook);
  return new Arena({ options, url, ledger, database: new DatabaseView(url, cleanup), mail, spareMail, hook }, cleanup);
}
