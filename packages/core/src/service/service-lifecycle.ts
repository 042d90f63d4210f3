import { BelfryError } from "../foundation/errors.ts";

/** What a {@link ServiceLifecycle} opens. */
export interface LifecycleOptions {
  /** Opens the storage. */
  open(): Promise<void>;
  /** Begins to hear signals; the storage is open then. */
  listen(): Promise<void>;
}

/**
 * Opens what a service works with, once, whoever asks first, and says who may use it:
 *
 * ```
 * open to everybody ──beginStop──> open to background work alone ──endStop──> closed ──start──> open to everybody
 * ```
 */
export class ServiceLifecycle {
  readonly #options: LifecycleOptions;
  /** Tells a start that was overtaken by a stop. */
  #starts = 0;
  #opening: Promise<void> | null = null;
  #listening: Promise<void> | null = null;
  /** Refuses calls of the host. */
  #isStopping = false;
  /** Refuses what the background work asks for, too. */
  #isStopped = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** Resolves once the storage can be used; for calls of the host. */
  ready(): Promise<void> {
    return this.#open(this.#isStopping);
  }

  /** The same for background work, which goes on while the service stops: it has to end what it has begun. */
  readyForWork(): Promise<void> {
    return this.#open(this.#isStopped);
  }

  /** Resolves once signals arrive. */
  listening(): Promise<void> {
    this.#listening ??= this.ready()
      .then(() => this.#options.listen())
      .catch((error: unknown) => {
        this.#listening = null;
        throw error;
      });
    return this.#listening;
  }

  /** Opens everything; throws `SERVICE_STOPPED` when it is stopped meanwhile. */
  async start(): Promise<void> {
    this.#isStopping = false;
    this.#isStopped = false;
    this.#starts += 1;
    const start = this.#starts;
    await this.listening();
    if (this.#isStopping || start !== this.#starts) {
      throw new BelfryError("SERVICE_STOPPED", "The notification service was stopped while it was starting.");
    }
  }

  /** Refuses the host from now on, and resolves once nothing is being opened any more: it has to be closed, too. */
  async beginStop(): Promise<void> {
    this.#isStopping = true;
    this.#starts += 1;
    // Whoever asked for it hears of its failure.
    await Promise.allSettled([this.#opening, this.#listening]);
  }

  /** Refuses background work, too. */
  endStop(): void {
    this.#isStopped = true;
  }

  /** Everything is closed; the next start opens it anew. */
  closed(): void {
    this.#opening = null;
    this.#listening = null;
  }

  #open(isRefused: boolean): Promise<void> {
    if (isRefused) {
      return Promise.reject(new BelfryError("SERVICE_STOPPED", "The notification service was stopped; call start() to use it again."));
    }
    this.#opening ??= this.#options.open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }
}
