import { type Change, type ChangeRequest, newChange } from "./change.ts";
import { Connection, type ConnectionStatus } from "./connection.ts";
import type { Frame } from "./frame.ts";
import { FrameRing, reaches } from "./frame-ring.ts";
import { type ClientError, Http, type Result } from "./http.ts";
import type { Item, Position } from "./item.ts";
import type { ClientOptions } from "./options.ts";
import { MAX_PENDING, type Outcome, QUEUE_FULL, Queue } from "./queue.ts";
import { restore } from "./snapshot.ts";
import { Store } from "./store.ts";
import { StoredChanges } from "./stored-changes.ts";
import { type TabMessage, Tabs } from "./tabs.ts";
import { onWake } from "./wake.ts";

/** What a session tells. */
export interface SessionEvents<Shown extends Item> {
  /** Whatever is shown may have changed. */
  changed(): void;
  received(item: Shown): void;
  recovered(isComplete: boolean): void;
  failed(change: Change, error: ClientError): void;
}

/** After waking, a connection has this long to tell what the server knows. */
const PROOF_MS = 2_000;
/** How many outcomes a tab remembers for those that were asleep. */
const KEPT_OUTCOMES = 200;

/** The parts of one client: its state, its place among the tabs, the connection, and the changes that it sends. */
export class Session<Shown extends Item> {
  readonly http: Http;
  readonly store: Store<Shown>;
  status: ConnectionStatus = "idle";
  error: ClientError | null = null;
  readonly #queue: Queue;
  readonly #connection: Connection<Shown>;
  readonly #tabs: Tabs<Shown>;
  readonly #stored: StoredChanges | null;
  readonly #events: SessionEvents<Shown>;
  readonly #ring = new FrameRing<Shown>();
  /** Who waits for the outcome of a change. */
  readonly #waiting = new Map<string, (result: Result<number>) => void>();
  /** The outcomes of the last changes, and those that other tabs told of. */
  readonly #outcomes = new Map<string, Outcome>();
  #wasOpen = false;
  #made = 0;
  #unwatch: (() => void) | null = null;

  constructor(options: ClientOptions<Shown>, events: SessionEvents<Shown>) {
    const { transports = ["ws", "sse", "poll"], tabs = "leader", offline = "queue", locale, user, initial } = options;
    this.#events = events;
    const http = new Http(options);
    this.http = http;
    this.store = new Store(http, locale, events);
    if (initial !== undefined) {
      restore(this.store, initial);
    }
    // Users of one browser have nothing in common.
    const name = user === undefined ? null : `belfry:${options.url}:${user}`;
    this.#stored = name === null || offline === "fail" ? null : new StoredChanges(name);
    this.#queue = new Queue({ http, waits: offline === "queue", onOutcome: (outcome) => this.#tell(outcome) });
    this.#connection = new Connection<Shown>({
      http,
      transports,
      position: () => this.#position(),
      onFrame: (frame) => this.#pass(frame),
      onStatus: (status, error) => this.#passStatus(status, error),
    });
    this.#tabs = new Tabs<Shown>(tabs === "each" ? null : name, {
      onLead: () => this.#lead(),
      onYield: () => this.#yield(),
      onMessage: (message) => this.#hear(message),
      onAsk: () => this.#hello(),
    });
  }

  get isStarted(): boolean {
    return this.#unwatch !== null;
  }

  /** Loads what is shown, and connects, or follows the tab that is connected. */
  start(): void {
    if (this.isStarted) {
      return;
    }
    this.#unwatch = onWake(() => void this.#wake());
    for (const change of this.#stored?.all() ?? []) {
      this.store.add(change);
    }
    this.#setStatus("connecting", null);
    void this.store.load();
    this.#tabs.join();
    void this.#position().then(
      () => this.#tabs.ask(),
      () => undefined,
    );
  }

  stop(): void {
    if (this.isStarted) {
      this.#unwatch?.();
      this.#unwatch = null;
      this.#tabs.leave();
      this.#yield();
      this.store.loader.rest();
      this.#setStatus("closed", null);
    }
  }

  /** Shows a change at once, and sends it, or has the leader send it. */
  change(request: ChangeRequest): Promise<Result<number>> {
    if (this.store.journal.size >= MAX_PENDING) {
      return Promise.resolve({ ok: false, error: QUEUE_FULL });
    }
    this.#made += 1;
    const change = newChange(request, this.#made, this.store.base.lastSeq);
    return new Promise((resolve) => {
      this.#waiting.set(change.id, resolve);
      this.#stored?.put(change);
      this.store.add(change);
      this.#tabs.post({ say: "change", change });
      this.#queue.add(change);
    });
  }

  async #position(): Promise<Position> {
    const { base, loader } = this.store;
    if (base.position === null) {
      await loader.count();
    }
    return base.position ?? { epoch: "0", seq: 0, rev: 0 };
  }

  #lead(): void {
    this.#queue.turn(true);
    for (const change of [...this.store.journal.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
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
    const { base, journal } = this.store;
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
      this.store.add(change);
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
    this.#tabs.post({ say: "status", status: this.status, error: this.error });
    const now = this.store.base.position;
    if (now !== null && position !== null) {
      const missed = this.#ring.after(position, now);
      this.#tabs.post(missed === null ? { say: "lost", to: from, position: now } : { say: "frames", to: from, ...missed });
    }
  }

  /** Takes frames from the leader, if they go on where this tab is. */
  #follow(before: Position, frames: readonly Frame<Shown>[]): void {
    const { position } = this.store.base;
    if (position !== null && reaches(position, before)) {
      for (const frame of frames) {
        this.#take(frame);
      }
    } else if (position !== null) {
      this.#hello();
    }
  }

  #lose(position: Position): void {
    this.store.base.position = position;
    this.store.reload();
    this.store.loader.recount();
    this.#events.recovered(false);
  }

  /** Takes a frame of this tab's own connection, for all tabs. */
  #pass(frame: Frame<Shown>): void {
    const before = this.store.base.position;
    this.#take(frame);
    if (before !== null) {
      this.#tabs.post({ say: "frames", before, frames: [frame] });
    }
  }

  #take(frame: Frame<Shown>): void {
    const { position } = this.store.base;
    if (position !== null) {
      this.#ring.push(position, frame);
    }
    this.store.take(frame);
    if (frame.type === "state" && frame.isPolled !== true && this.#wasOpen) {
      this.#events.recovered(frame.recovered);
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
    this.status = status;
    this.error = error;
    this.#wasOpen ||= status === "open";
    this.store.changed();
  }

  /** Takes the outcome of a change that this tab sent, for all tabs. */
  #tell(outcome: Outcome): void {
    this.#stored?.remove(outcome.id);
    this.#settle(outcome);
    this.#tabs.post({ say: "outcome", outcome });
  }

  #settle(outcome: Outcome): void {
    const { id, answer, error } = outcome;
    this.#outcomes.set(id, outcome);
    if (this.#outcomes.size > KEPT_OUTCOMES) {
      this.#outcomes.delete(this.#outcomes.keys().next().value ?? "");
    }
    const change = this.store.settle(id, answer?.counts);
    this.#waiting.get(id)?.(error === undefined ? { ok: true, value: answer?.changed ?? 0 } : { ok: false, error });
    this.#waiting.delete(id);
    if (error !== undefined && change !== undefined) {
      this.#events.failed(change, error);
    }
  }

  /** The network may be back, or the device awake: a connection is believed once it has told what the server knows. */
  async #wake(): Promise<void> {
    this.#queue.hurry();
    this.#connection.hurry();
    this.#tabs.ask();
    if (this.#tabs.isLeader && this.status === "open") {
      const { base, loader } = this.store;
      await loader.count().catch(() => this.#connection.reopen());
      const known = base.counts;
      setTimeout(() => base.isBehind(known) && this.#connection.reopen(), PROOF_MS);
    }
  }
}
