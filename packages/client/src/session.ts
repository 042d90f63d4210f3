import type { Change, ChangeRequest } from "./change.ts";
import { Connection, type ConnectionStatus } from "./connection.ts";
import type { Frame } from "./frame.ts";
import { type ClientError, Http, type Result } from "./http.ts";
import type { Item, Position } from "./item.ts";
import type { ClientOptions } from "./options.ts";
import { type Outcome, Queue } from "./queue.ts";
import { Store } from "./store.ts";
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

/** The parts of one client: its state, its connection, and the changes that it sends. */
export class Session<Shown extends Item> {
  readonly http: Http;
  readonly store: Store<Shown>;
  status: ConnectionStatus = "idle";
  error: ClientError | null = null;
  readonly #queue: Queue;
  readonly #connection: Connection<Shown>;
  readonly #events: SessionEvents<Shown>;
  /** Who waits for the outcome of a change. */
  readonly #waiting = new Map<string, (result: Result<number>) => void>();
  #wasOpen = false;
  #made = 0;
  #unwatch: (() => void) | null = null;

  constructor(options: ClientOptions, events: SessionEvents<Shown>) {
    const { transports = ["ws", "sse", "poll"], offline = "queue", locale } = options;
    this.#events = events;
    const http = new Http(options);
    this.http = http;
    this.store = new Store(http, locale, events);
    this.#queue = new Queue({ http, waits: offline === "queue", onOutcome: (outcome) => this.#settle(outcome) });
    this.#connection = new Connection<Shown>({
      http,
      transports,
      position: () => this.#position(),
      onFrame: (frame) => this.#take(frame),
      onStatus: (status, error) => this.#setStatus(status, error),
    });
  }

  get isStarted(): boolean {
    return this.#unwatch !== null;
  }

  /** Loads what is shown, and connects. */
  start(): void {
    if (!this.isStarted) {
      this.#unwatch = onWake(() => void this.#wake());
      void this.store.load();
      this.#connection.start();
    }
  }

  stop(): void {
    if (this.isStarted) {
      this.#unwatch?.();
      this.#unwatch = null;
      this.#connection.stop();
      this.#setStatus("closed", null);
    }
  }

  /** Shows a change at once, and sends it. */
  change(request: ChangeRequest): Promise<Result<number>> {
    const at = new Date().toISOString();
    this.#made += 1;
    const id = `${at}-${String(this.#made).padStart(6, "0")}-${crypto.randomUUID().slice(0, 8)}`;
    const { position, counts } = this.store.base;
    const change: Change = { ...request, id, at, lastSeq: Math.max(position?.seq ?? 0, counts?.lastSeq ?? 0) };
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.store.add(change);
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

  #take(frame: Frame<Shown>): void {
    this.store.take(frame);
    if (frame.type === "state" && frame.isPolled !== true) {
      if (this.#wasOpen) {
        this.#events.recovered(frame.recovered);
      }
      this.#wasOpen = true;
    }
  }

  #setStatus(status: ConnectionStatus, error: ClientError | null): void {
    this.status = status;
    this.error = error;
    if (status === "open") {
      this.#queue.hurry();
    }
    this.store.changed();
  }

  #settle({ id, answer, error }: Outcome): void {
    const change = this.store.settle(id, answer?.counts);
    const told = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) {
      told?.({ ok: false, error });
      if (change !== undefined) {
        this.#events.failed(change, error);
      }
    } else {
      told?.({ ok: true, value: answer?.changed ?? 0 });
    }
  }

  /** The network may be back, or the device awake: a connection is believed once it has told what the server knows. */
  async #wake(): Promise<void> {
    this.#queue.hurry();
    this.#connection.hurry();
    const { base, loader } = this.store;
    if (this.status === "open") {
      await loader.count().catch(() => this.#connection.reopen());
      const { counts } = base;
      setTimeout(() => {
        if (counts !== null && base.position !== null && counts.lastSeq + counts.rev > base.position.seq + base.position.rev) {
          this.#connection.reopen();
        }
      }, PROOF_MS);
    }
  }
}
