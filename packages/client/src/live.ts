import type { Change } from "./change.ts";
import { Connection, type ConnectionStatus } from "./connection.ts";
import { Counter } from "./counter.ts";
import { Follower } from "./follower.ts";
import type { Frame } from "./frame.ts";
import { FrameRing, reaches } from "./frame-ring.ts";
import { Http } from "./http.ts";
import { type Counts, type Item, type Position, positionOf } from "./item.ts";
import type { LiveHost } from "./live-host.ts";
import { Loader } from "./loader.ts";
import { PushLoader } from "./push/push-loader.ts";
import { type Outcome, Queue } from "./queue.ts";
import type { ClientError } from "./result.ts";
import type { Store } from "./store.ts";
import { type TabMessage, Tabs } from "./tabs.ts";
import { onWake } from "./wake.ts";

/** After waking, a connection has this long to tell what the server knows. */
const PROOF_MS = 2_000;
/** How many outcomes a tab remembers for those that were asleep. */
const KEPT_OUTCOMES = 200;

/** What follows the inbox and sends changes: a client's place among the tabs, the connection, and the queue. */
export class Live<Shown extends Item> {
  readonly http: Http;
  readonly loader: Loader<Shown>;
  readonly push: PushLoader;
  readonly #host: LiveHost<Shown>;
  readonly #store: Store<Shown>;
  readonly #follower: Follower<Shown>;
  readonly #counter: Counter<Shown>;
  readonly #queue: Queue;
  readonly #connection: Connection<Shown>;
  readonly #tabs: Tabs<Shown>;
  readonly #ring = new FrameRing<Shown>();
  /** The outcomes of the last changes, and those that other tabs told of. */
  readonly #outcomes = new Map<string, Outcome>();
  #unwatch: (() => void) | null = null;
  #wasOpen = false;

  constructor(host: LiveHost<Shown>) {
    const { store, name } = host;
    const { transports = ["ws", "sse", "poll"], tabs, offline, locale } = host.options;
    const http = new Http(host.options);
    this.http = http;
    this.loader = new Loader(http, store, locale);
    this.push = new PushLoader(host, http);
    this.#host = host;
    this.#store = store;
    this.#follower = new Follower(store, host.emit);
    this.#counter = new Counter(http, store);
    this.#queue = new Queue({ http, waits: offline !== "fail", onOutcome: (outcome) => this.#tell(outcome) });
    this.#connection = new Connection<Shown>({
      http,
      transports,
      locale,
      position: () => this.#position(),
      onFrame: (frame) => this.#pass(frame),
      onStatus: (status, error) => this.#passStatus(status, error),
    });
    // Frames have texts of one language, so tabs share a connection with those of the same.
    const shared = name === null || locale === undefined ? name : `${name}:${locale}`;
    this.#tabs = new Tabs<Shown>(tabs === "each" ? null : shared, {
      onLead: () => this.#lead(),
      onYield: () => this.#yield(),
      onMessage: (message) => this.#hear(message),
      onAsk: () => this.#hello(),
    });
  }

  /** Loads what is shown, and connects, or follows the tab that is connected. */
  start(): void {
    this.#host.setStatus("connecting", null);
    this.loader.hurry();
    this.#unwatch = onWake(() => void this.#wake());
    // A tab that follows another one leaves all changes to it, so that they keep their order.
    this.#queue.turn(false);
    this.#tabs.join();
    this.#counter.hurry();
    this.push.start();
    void this.#position().then(
      () => this.#tabs.ask(),
      () => undefined,
    );
  }

  stop(): void {
    this.#unwatch?.();
    this.push.stop();
    this.#tabs.leave();
    this.#yield();
    this.#counter.rest();
    this.loader.rest();
    this.#host.setStatus("closed", null);
  }

  /** Has the server count soon what is to be counted. */
  count(): void {
    this.#counter.goOn();
  }

  /** Sends a change, or has the leader send it, unless it has ended meanwhile. */
  send(change: Change): void {
    if (this.#store.journal.has(change.id)) {
      this.#tabs.post({ say: "change", change });
      this.#queue.add(change);
    }
  }

  async #position(): Promise<Position> {
    const { base } = this.#store;
    if (base.position === null) {
      await this.#counter.count();
    }
    return base.position ?? { epoch: "0", seq: 0, rev: 0 };
  }

  #lead(): void {
    this.#queue.turn(true);
    for (const change of [...this.#store.journal.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
      this.#queue.add(change);
    }
    this.#connection.start();
    this.#tabs.post({ say: "lead" });
  }

  #yield(): void {
    this.#connection.stop();
    this.#queue.turn(false);
  }

  /** Asks the leader for what this tab missed. */
  #hello(): void {
    const { base, journal } = this.#store;
    if (!this.#tabs.isLeader) {
      this.#tabs.post({ say: "hello", from: this.#tabs.id, position: base.position, changes: [...journal.values()] });
    }
  }

  #hear(message: TabMessage<Shown>): void {
    if ("to" in message && message.to !== undefined && message.to !== this.#tabs.id) {
      return;
    }
    switch (message.say) {
      case "hello":
        this.#welcome(message);
        break;
      case "lead":
        this.#hello();
        break;
      case "frames":
        this.#follow(message.before, message.frames);
        break;
      case "lost":
        this.#lose(message.position);
        break;
      case "status":
        this.#setStatus(message.status, message.error);
        break;
      case "change":
        this.#adopt(message.change);
        break;
      case "outcome":
        this.#settle(message.outcome);
    }
  }

  /** Takes a change of another tab. */
  #adopt(change: Change): void {
    const outcome = this.#outcomes.get(change.id);
    if (outcome === undefined) {
      this.#store.add(change);
      if (this.#tabs.isLeader) {
        this.#queue.add(change);
      }
    } else if (this.#tabs.isLeader) {
      this.#tabs.post({ say: "outcome", outcome });
    }
  }

  /** Tells a tab what it missed. */
  #welcome({ from, position, changes }: Extract<TabMessage<Shown>, { say: "hello" }>): void {
    if (!this.#tabs.isLeader) {
      return;
    }
    for (const change of changes) {
      this.#adopt(change);
    }
    const { status, error } = this.#host;
    this.#tabs.post({ say: "status", status, error });
    const now = this.#store.base.position;
    if (now !== null && position !== null) {
      const missed = this.#ring.after(position, now);
      this.#tabs.post(missed === null ? { say: "lost", to: from, position: now } : { say: "frames", to: from, ...missed });
    }
  }

  /** Takes frames from the leader, if they go on where this tab is. */
  #follow(before: Position, frames: readonly Frame<Shown>[]): void {
    const { position } = this.#store.base;
    if (position !== null && reaches(position, before)) {
      for (const frame of frames) {
        this.#take(frame);
      }
    } else if (position !== null) {
      this.#hello();
    }
  }

  #lose(position: Position): void {
    this.#store.base.position = position;
    this.#store.recountAll();
    this.#store.reload();
    this.#host.emit("recovered", { complete: false });
  }

  /** Takes a frame of this tab's own connection, for all tabs. */
  #pass(frame: Frame<Shown>): void {
    const before = this.#store.base.position;
    this.#take(frame);
    if (before !== null) {
      this.#tabs.post({ say: "frames", before, frames: [frame] });
    }
  }

  #take(frame: Frame<Shown>): void {
    const { position } = this.#store.base;
    if (position !== null) {
      this.#ring.push(position, frame);
    }
    this.#follower.take(frame);
    this.#counter.fit();
    if (frame.type === "state" && frame.isPolled !== true && this.#wasOpen) {
      this.#host.emit("recovered", { complete: frame.recovered });
    }
  }

  #passStatus(status: ConnectionStatus, error: ClientError | null): void {
    this.#setStatus(status, error);
    this.#tabs.post({ say: "status", status, error });
    if (status === "open") {
      this.#queue.hurry();
    }
  }

  #setStatus(status: ConnectionStatus, error: ClientError | null): void {
    this.#wasOpen ||= status === "open";
    this.#host.setStatus(status, error);
    if (status === "open") {
      this.#counter.hurry();
      this.loader.hurry();
    }
  }

  /** Takes the outcome of a change that this tab sent, for all tabs. */
  #tell(outcome: Outcome): void {
    this.#host.forget(outcome.id);
    this.#settle(outcome);
    this.#tabs.post({ say: "outcome", outcome });
  }

  #settle(outcome: Outcome): void {
    const { id, answer } = outcome;
    this.#outcomes.set(id, outcome);
    if (this.#outcomes.size > KEPT_OUTCOMES) {
      this.#outcomes.delete(this.#outcomes.keys().next().value ?? "");
    }
    const change = this.#store.journal.get(id);
    if (change !== undefined && answer !== undefined) {
      this.#follower.settle(change, answer.counts);
    }
    this.#host.settle(outcome);
  }

  /** The network came or went, or the device awoke: a connection is believed once it has told what the server knows. */
  async #wake(): Promise<void> {
    this.#queue.hurry();
    this.#connection.hurry();
    this.#tabs.ask();
    if (this.#tabs.isLeader && this.#host.status === "open") {
      const { base } = this.#store;
      await this.#counter.count().catch(() => this.#connection.reopen());
      const known = base.counts;
      setTimeout(() => isBehind(base.position, known) && this.#connection.reopen(), PROOF_MS);
    }
  }
}

/** Whether frames have not told what the server knew at the moment of these counts. */
function isBehind(position: Position | null, counts: Counts | null): boolean {
  return counts !== null && position !== null && !reaches(position, positionOf(counts));
}
