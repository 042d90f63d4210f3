import type { Clock } from "../foundation/clock.ts";
import type { Peer } from "./messages.ts";
import type { OpenStream } from "./route.ts";

/**
 * A reader gets more when at most this much is unread. Later texts wait, and streams share them. Belfry looks again after
 * 1 ms, then at growing intervals.
 */
const WINDOW_BYTES = 256 * 1024;
const FIRST_LOOK_MS = 1;
const MAX_LOOK_MS = 50;

/** A reader with more than this outstanding that takes nothing for the grace period is cut off. */
const MAX_IDLE_BYTES = 1024 * 1024;
const GRACE_MS = 5_000;
/** A slow reader for which more than this waits is cut off too. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** A replay ends when its reader takes nothing for this long. */
const STALLED_MS = 30_000;

const SILENCE_MS = 30_000;
/** The interval at which Belfry asks the other end for a sign of life. */
const PROBE_INTERVAL_MS = 15_000;

/** One stream in the registry. */
export interface WatchedStream extends OpenStream {
  /** The stream ends with 4401 at this time, in whole seconds since 1970: they take less memory. Null for never. */
  expiresAtS: number | null;
  /** Call it once the other end is gone. */
  gone(): void;
}

/** The parts that {@link Stream}s of one kind use. */
export interface StreamOptions {
  readonly ping: string | undefined;
  /** How long the first texts wait; 0 for not at all. */
  readonly holdMs: number;
  /** Times from any moment on: small numbers take less memory. */
  readonly clock: Clock;
  onGone(stream: Stream): void;
}

/** The texts that a peer gets once its reader has taken more. */
interface Waiting {
  readonly texts: string[];
  /** Their length. */
  length: number;
  /** Closes the peer behind texts that are held. */
  close: (() => void) | null;
  /** Cancels the timer that hands them over. */
  cancel(): void;
}

/** The states of a {@link Stream}. Its own documentation has the transitions. */
export type StreamMode = "held" | "open" | "closing" | "over";

/**
 * Hands texts to a peer as fast as its reader takes them, and cuts off a reader that takes nothing.
 *
 * | mode      | what is sent                       | ends with                                       |
 * | --------- | ---------------------------------- | ----------------------------------------------- |
 * | `held`    | waits                              | `holdMs` have passed: `open`; close: `closing`  |
 * | `open`    | is handed over, or waits           | close, or the other end is gone: `over`         |
 * | `closing` | is dropped; what waits still goes  | `holdMs` have passed: `over`                    |
 * | `over`    | is dropped                         |                                                 |
 *
 * The other end may be gone in every mode.
 */
export class Stream implements WatchedStream {
  // What each text needs stands together: the processor's caches get it at once.
  readonly #peer: Peer;
  readonly #options: StreamOptions;
  #mode: StreamMode;
  /** Null while nothing waits. */
  #waiting: Waiting | null = null;
  #lastSentMs: number;
  /** The last time that the reader was seen to take something, and the bytes that were unread then. */
  #takenMs: number;
  #unreadBytes = 0;
  #probedMs: number;
  expiresAtS: number | null = null;

  constructor(peer: Peer, options: StreamOptions) {
    const { clock, holdMs } = options;
    this.#peer = peer;
    this.#options = options;
    this.#lastSentMs = clock.now();
    this.#probedMs = this.#lastSentMs;
    this.#takenMs = this.#lastSentMs;
    this.#mode = holdMs > 0 ? "held" : "open";
    if (this.#mode === "held") {
      // A turn that took long is no time in which a client of this process could have begun to listen.
      this.#waiting = waitingFor(clock.after(holdMs, () => setImmediate(() => this.#pump(holdMs))));
    }
  }

  get mode(): StreamMode {
    return this.#mode;
  }

  send(text: string): void {
    if (!this.#isOpen) {
      return;
    }
    const nowMs = this.#options.clock.now();
    if (this.#waiting === null && this.#peer.bufferedAmount <= WINDOW_BYTES) {
      this.#takenMs = nowMs;
      this.#handOver(text);
    } else if (this.#isTooSlow(nowMs)) {
      this.close(1008, "reading too slowly");
    } else {
      this.#waiting ??= waitingFor(this.#pumpIn(FIRST_LOOK_MS));
      this.#waiting.texts.push(text);
      this.#waiting.length += text.length;
    }
    this.#lastSentMs = nowMs;
  }

  close(code: number, reason: string): void {
    if (this.#mode === "held" && this.#waiting !== null) {
      this.#mode = "closing";
      this.#waiting.close = () => this.#peer.close(code, reason);
      this.#options.onGone(this);
    } else if (this.#mode === "open") {
      this.gone();
      this.#peer.close(code, reason);
    }
  }

  gone(): void {
    this.#mode = "over";
    this.#waiting?.cancel();
    this.#waiting = null;
    this.#options.onGone(this);
  }

  writable(): Promise<void> | undefined {
    return this.#isFull ? this.#untilWritable() : undefined;
  }

  /** Ends the stream if its reader is too slow or gone, and pings a silent one. */
  look(): void {
    const nowMs = this.#options.clock.now();
    if (this.#isTooSlow(nowMs)) {
      this.close(1008, "reading too slowly");
    } else if (!this.#isAlive(nowMs)) {
      this.close(1001, "no sign of life");
    } else if (this.#options.ping !== undefined && nowMs - this.#lastSentMs >= SILENCE_MS) {
      this.send(this.#options.ping);
    }
  }

  /** The bytes that the reader has not taken; what waits is counted in characters. */
  get #outstanding(): number {
    return this.#peer.bufferedAmount + (this.#waiting?.length ?? 0);
  }

  get #isOpen(): boolean {
    return this.#mode === "held" || this.#mode === "open";
  }

  get #isFull(): boolean {
    return this.#isOpen && this.#outstanding > WINDOW_BYTES;
  }

  #handOver(text: string): void {
    this.#peer.send(text);
    this.#unreadBytes = this.#peer.bufferedAmount;
  }

  #pumpIn(delayMs: number): () => void {
    return this.#options.clock.after(delayMs, () => this.#pump(delayMs));
  }

  /** Hands waiting texts to the peer while its reader keeps up. */
  #pump(delayMs: number): void {
    const waiting = this.#waiting;
    if (waiting === null) {
      return;
    }
    const isTooSlow = this.#isTooSlow(this.#options.clock.now());
    this.#mode = this.#mode === "closing" ? "over" : "open";
    const count = this.#handOverOf(waiting);
    if (waiting.close !== null) {
      this.#waiting = null;
      waiting.close();
    } else if (isTooSlow) {
      this.close(1008, "reading too slowly");
    } else if (waiting.texts.length > 0) {
      waiting.cancel = this.#pumpIn(count > 0 ? FIRST_LOOK_MS : Math.min(2 * delayMs, MAX_LOOK_MS));
    } else {
      this.#waiting = null;
    }
  }

  /** Hands over as much as the reader takes, and returns how many texts that were. */
  #handOverOf(waiting: Waiting): number {
    let count = 0;
    for (const text of waiting.texts) {
      if (this.#peer.bufferedAmount > WINDOW_BYTES) {
        break;
      }
      this.#handOver(text);
      waiting.length -= text.length;
      count += 1;
    }
    waiting.texts.splice(0, count);
    return count;
  }

  async #untilWritable(): Promise<void> {
    const { clock } = this.#options;
    for (let delayMs = FIRST_LOOK_MS; this.#isFull; delayMs = Math.min(2 * delayMs, MAX_LOOK_MS)) {
      await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
      if (this.#idleMs(clock.now()) >= STALLED_MS) {
        this.close(1008, "reading too slowly");
      }
    }
  }

  #isTooSlow(nowMs: number): boolean {
    const isIdle = this.#idleMs(nowMs) >= GRACE_MS;
    return (this.#waiting?.length ?? 0) > MAX_WAITING_BYTES || (isIdle && this.#outstanding > MAX_IDLE_BYTES);
  }

  /** How long the reader has taken nothing. */
  #idleMs(nowMs: number): number {
    const { bufferedAmount } = this.#peer;
    if (bufferedAmount < this.#unreadBytes) {
      this.#takenMs = nowMs;
    }
    this.#unreadBytes = bufferedAmount;
    return nowMs - this.#takenMs;
  }

  #isAlive(nowMs: number): boolean {
    if (nowMs - this.#probedMs < PROBE_INTERVAL_MS) {
      return true;
    }
    this.#probedMs = nowMs;
    return this.#peer.isAlive?.() ?? true;
  }
}

function waitingFor(cancel: () => void): Waiting {
  return { texts: [], length: 0, close: null, cancel };
}
