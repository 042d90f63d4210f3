import { type ChangeRequest, newChange } from "./change.ts";
import type { ConnectionStatus } from "./connection.ts";
import type { Emit } from "./events.ts";
import type { Asking } from "./http.ts";
import type { Item } from "./item.ts";
import type { Live } from "./live.ts";
import type { LiveHost } from "./live-host.ts";
import { loadAgain } from "./load-again.ts";
import type { Loader } from "./loader.ts";
import type { ClientOptions } from "./options.ts";
import { jitter } from "./patience.ts";
import { Push } from "./push/push.ts";
import type { Outcome } from "./queue.ts";
import { type ClientError, type Result, resultOf } from "./result.ts";
import { restore } from "./snapshot.ts";
import { Store } from "./store.ts";
import { StoredChanges } from "./stored-changes.ts";
import type { ViewState } from "./view.ts";

/** The most changes that wait. */
const MAX_PENDING = 1_000;

/** Why a change is not taken at all. */
const QUEUE_FULL: ClientError = {
  ...{ code: "QUEUE_FULL", status: 0, message: "Too many changes wait for the server. Try again when it can be reached." },
};

/**
 * What one client is from its first moment: its state, and the changes that wait. What asks the server, follows the inbox and sends changes
 * is a file of its own, {@link Live}, whose loading begins with the client. What it is to do waits for it.
 */
export class Session<Shown extends Item> implements LiveHost<Shown> {
  readonly options: ClientOptions<Shown>;
  readonly store: Store<Shown>;
  readonly name: string | null;
  readonly emit: Emit<Shown>;
  readonly push: Push;
  status: ConnectionStatus = "idle";
  error: ClientError | null = null;
  isStarted = false;
  readonly #stored: StoredChanges | null;
  /** Who waits for the outcome of a change. */
  readonly #waiting = new Map<string, (result: Result<number>) => void>();
  /** The other half, once it is there. What is to be done with it waits in its order. */
  readonly #live: Promise<Live<Shown>>;
  /** The present try to load it. */
  #attempt: Promise<Live<Shown>>;
  #made = 0;

  /** @param changed is called when whatever is shown may have changed */
  constructor(options: ClientOptions<Shown>, changed: () => void, emit: Emit<Shown>) {
    const { offline, user, initial, url } = options;
    this.options = options;
    this.emit = emit;
    this.store = new Store({ changed, uncounted: () => this.#do((live) => live.count()), stale: () => this.loadStale() });
    if (initial !== undefined) {
      restore(this.store, initial);
    }
    // Users of one browser have nothing in common.
    this.name = user === undefined ? null : `belfry:${url}:${user}`;
    this.#stored = this.name === null || offline === "fail" ? null : new StoredChanges(this.name);
    this.push = new Push((task, asked) => resultOf(this.#attempt.then(({ push }) => push.do(task, asked))));
    this.#attempt = this.#load(0);
    this.#live = this.#loaded();
  }

  /** Loads what is shown, and connects, or follows the tab that is connected. */
  start(): void {
    if (!this.isStarted) {
      this.isStarted = true;
      for (const change of this.#stored?.all() ?? []) {
        this.store.add(change);
      }
      this.setStatus("connecting", null);
      this.#do((live) => live.start());
    }
  }

  stop(): void {
    if (this.isStarted) {
      this.isStarted = false;
      this.setStatus("closed", null);
      this.#do((live) => live.stop());
    }
  }

  /** Shows a change at once, and sends it, or has the leader send it. */
  change(request: ChangeRequest): Promise<Result<number>> {
    const { base, journal } = this.store;
    if (journal.size >= MAX_PENDING) {
      return Promise.resolve({ ok: false, error: QUEUE_FULL });
    }
    this.#made += 1;
    const change = newChange(request, this.#made, base.lastSeq);
    return new Promise((resolve) => {
      this.#waiting.set(change.id, resolve);
      this.#stored?.put(change);
      this.store.add(change);
      this.#do((live) => live.send(change));
    });
  }

  setStatus(status: ConnectionStatus, error: ClientError | null): void {
    this.status = status;
    this.error = error;
    this.store.changed();
  }

  settle({ id, answer, error }: Outcome): void {
    const change = this.store.end(id);
    this.#waiting.get(id)?.(error === undefined ? { ok: true, value: answer?.changed ?? 0 } : { ok: false, error });
    this.#waiting.delete(id);
    if (error !== undefined && change !== undefined) {
      this.emit("failed", { change, error });
    }
  }

  forget(id: string): void {
    this.#stored?.remove(id);
  }

  /** Loads what is shown, but is not loaded, or may be wrong. */
  loadStale(): void {
    this.#do((live) => live.loader.loadStale());
  }

  /** Loads something of a view. */
  async loadView(view: ViewState<Shown>, load: (loader: Loader<Shown>) => Promise<void>): Promise<void> {
    const tried = await resultOf(this.#attempt);
    if (tried.ok) {
      await load(tried.value.loader);
    } else {
      this.#fail(view, tried.error);
    }
  }

  /** Asks the server for something that is not kept. */
  ask<Answer>(path: string, asking?: Asking): Promise<Result<Answer>> {
    return resultOf(this.#attempt.then(({ http }) => http.json<Answer>(path, asking)));
  }

  #do(work: (live: Live<Shown>) => void): void {
    void this.#live.then(work);
  }

  async #load(failures: number): Promise<Live<Shown>> {
    const { Live } = await loadAgain(() => import("./live.ts"), "Live", failures);
    return new Live(this);
  }

  /** Loads the other half of the client. If that fails, it is asked for again, after waits, and at once when the network is back. */
  async #loaded(): Promise<Live<Shown>> {
    for (let failures = 1; ; failures += 1) {
      const tried = await resultOf(this.#attempt);
      if (tried.ok) {
        return tried.value;
      }
      this.#giveUp(tried.error);
      await new Promise((resolve) => {
        setTimeout(resolve, jitter(failures));
        globalThis.addEventListener?.("online", resolve, { once: true });
      });
      this.#attempt = this.#load(failures);
    }
  }

  /** Says that the other half of the client is not there. Changes that are not to wait for it fail. */
  #giveUp(error: ClientError): void {
    if (this.isStarted) {
      this.setStatus("offline", error);
      for (const view of this.store.looked) {
        this.#fail(view, error);
      }
    }
    if (this.options.offline === "fail") {
      for (const id of this.store.journal.keys()) {
        this.settle({ id, error });
      }
    }
  }

  #fail(view: ViewState<Shown>, error: ClientError): void {
    view.loaded = { ...view.loaded, status: view.isLoaded ? "ready" : "error", error };
    this.store.changed();
  }
}
