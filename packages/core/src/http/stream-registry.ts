import type { Clock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { RepeatedLines } from "../foundation/repeated-lines.ts";
import { addressKey, clientAddress } from "./client-address.ts";
import type { HandlerOptions } from "./handler-options.ts";
import type { HttpRequest, Peer } from "./messages.ts";
import type { OpenStream } from "./route.ts";

const DEFAULT_MAX = 1_000;
/** The time after which an address with too many streams may try again. */
const RETRY_MS = 30_000;

/** Counts the open streams and sockets of each address, including those that are being opened. */
export class StreamCounts {
  readonly #options: Pick<HandlerOptions, "clientAddress" | "maxSocketsPerAddress">;
  readonly #lines: RepeatedLines;
  readonly #counts = new Map<string, number>();

  constructor(options: Pick<HandlerOptions, "clientAddress" | "maxSocketsPerAddress">, lines: RepeatedLines) {
    this.#options = options;
    this.#lines = lines;
  }

  /** Throws `RATE_LIMITED` when the request's address has reached its limit. */
  check(request: HttpRequest): void {
    const { maxSocketsPerAddress: max } = this.#options;
    const address = this.#addressOf(request);
    if (address !== null && (this.#counts.get(address) ?? 0) >= (typeof max === "number" ? max : DEFAULT_MAX)) {
      this.#lines.warn({}, "An address has as many streams and sockets open as it may (maxSocketsPerAddress); Belfry refused another one.");
      throw new BelfryError("RATE_LIMITED", "This address has too many streams and sockets open.", {
        details: { retry_after_ms: RETRY_MS },
      });
    }
  }

  /** Counts one stream or socket. The returned function removes it from the count. */
  add(request: HttpRequest): () => void {
    const address = this.#addressOf(request);
    if (address === null) {
      return () => {};
    }
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
    let isCounted = true;
    return () => {
      if (isCounted) {
        isCounted = false;
        this.#takeOff(address);
      }
    };
  }

  #takeOff(address: string): void {
    const left = (this.#counts.get(address) ?? 1) - 1;
    if (left > 0) {
      this.#counts.set(address, left);
    } else {
      this.#counts.delete(address);
    }
  }

  /**
   * Returns the address to count, or null for none. If the host sets a number, it applies to every address, also its own
   * proxy's.
   */
  #addressOf(request: HttpRequest): string | null {
    const { maxSocketsPerAddress: max } = this.#options;
    if (max === false) {
      return null;
    }
    const named = clientAddress(this.#options, request);
    return named ?? (max !== undefined && request.remoteAddress !== undefined ? addressKey(request.remoteAddress) : null);
  }
}

/** A reader with more unread bytes than this is slow. If it is still slow after the grace period, it is cut off. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** The grace period. A reader gets this long to take a burst. */
const GRACE_MS = 5_000;
/**
 * A reader with more unread bytes than this from earlier turns is cut off at once. Bytes sent within one turn of the event
 * loop do not count in that turn, because no reader could have taken them yet.
 */
const HARD_LIMIT_BYTES = 8 * 1024 * 1024;

/** A replay continues when no more than this is unread. Belfry checks after 1 ms, then at growing intervals. */
const REPLAY_BUFFERED_BYTES = 256 * 1024;
const DRAIN_POLL_MS = 50;
/** A replay ends when its reader takes nothing for this long. */
const STALLED_MS = 30_000;

/** The interval at which one timer checks all streams. */
const SWEEP_INTERVAL_MS = 5_000;
const SILENCE_MS = 30_000;
/** The interval at which Belfry asks the other end for a sign of life. */
const PROBE_INTERVAL_MS = 15_000;

/** One stream in the registry. */
export interface WatchedStream extends OpenStream {
  /** The stream ends with 4401 at this time, in milliseconds since 1970. */
  expiresAtMs: number;
  /** Call it once the other end is gone. */
  gone(): void;
}

/**
 * Watches every open stream and socket of a handler. It pings silent ones, cuts off slow readers, and ends streams whose
 * credential expired.
 */
export class StreamRegistry {
  readonly #clock: Clock;
  readonly #streams = new Set<Stream>();
  readonly #turns = new Turns();
  #cancelSweep: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches `peer`. It sends `ping` after 30 s of silence. */
  add(peer: Peer, ping: string | undefined): WatchedStream {
    const stream = new Stream(peer, { ping, clock: this.#clock, turns: this.#turns, onGone: (gone) => this.#remove(gone) });
    this.#streams.add(stream);
    this.#sweepLater();
    return stream;
  }

  /** Ends every stream: the server is going away. */
  closeAll(): void {
    for (const stream of [...this.#streams]) {
      stream.close(1012, "service restart");
    }
  }

  #remove(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) {
      this.#cancelSweep?.();
      this.#cancelSweep = null;
    }
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#clock.after(SWEEP_INTERVAL_MS, () => {
      this.#cancelSweep = null;
      const nowMs = this.#clock.now();
      for (const stream of [...this.#streams]) {
        stream.look(nowMs);
      }
      if (this.#streams.size > 0) {
        this.#sweepLater();
      }
    });
  }
}

/** Numbers the turns of the event loop in which Belfry sends something. */
class Turns {
  #number = 0;
  #isCounted = false;

  /** The number of the current turn. */
  get present(): number {
    if (!this.#isCounted) {
      this.#isCounted = true;
      this.#number += 1;
      setImmediate(() => {
        this.#isCounted = false;
      });
    }
    return this.#number;
  }
}

interface StreamOptions {
  readonly ping: string | undefined;
  readonly clock: Clock;
  readonly turns: Turns;
  onGone(stream: Stream): void;
}

class Stream implements WatchedStream {
  expiresAtMs = Number.POSITIVE_INFINITY;
  readonly #peer: Peer;
  readonly #options: StreamOptions;
  #lastSentMs: number;
  #probedMs: number;
  #slowSinceMs: number | null = null;
  /** The last turn with a send, and the unread bytes at its start. */
  #turn = 0;
  #outstandingBefore = 0;
  #open = true;

  constructor(peer: Peer, options: StreamOptions) {
    this.#peer = peer;
    this.#options = options;
    this.#lastSentMs = options.clock.now();
    this.#probedMs = this.#lastSentMs;
  }

  send(text: string): void {
    if (!this.#open) {
      return;
    }
    const nowMs = this.#options.clock.now();
    const outstanding = this.#outstandingOfEarlierTurns();
    if (outstanding > HARD_LIMIT_BYTES || this.#isTooSlow(outstanding, nowMs)) {
      this.close(1008, "reading too slowly");
      return;
    }
    this.#peer.send(text);
    this.#lastSentMs = nowMs;
  }

  close(code: number, reason: string): void {
    if (this.#open) {
      this.#peer.close(code, reason);
      this.gone();
    }
  }

  gone(): void {
    this.#open = false;
    this.#options.onGone(this);
  }

  async writable(): Promise<void> {
    const { clock } = this.#options;
    let least = Number.POSITIVE_INFINITY;
    let takenMs = clock.now();
    for (let delayMs = 1; this.#open && this.#peer.bufferedAmount > REPLAY_BUFFERED_BYTES; delayMs = Math.min(2 * delayMs, DRAIN_POLL_MS)) {
      if (this.#peer.bufferedAmount < least) {
        least = this.#peer.bufferedAmount;
        takenMs = clock.now();
      } else if (clock.now() - takenMs >= STALLED_MS) {
        this.close(1008, "reading too slowly");
      }
      await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
    }
  }

  look(nowMs: number): void {
    if (nowMs >= this.expiresAtMs) {
      this.close(4401, "credential expired");
    } else if (this.#isTooSlow(this.#peer.bufferedAmount, nowMs)) {
      this.close(1008, "reading too slowly");
    } else if (!this.#isAlive(nowMs)) {
      this.close(1001, "no sign of life");
    } else if (this.#options.ping !== undefined && nowMs - this.#lastSentMs >= SILENCE_MS) {
      this.send(this.#options.ping);
    }
  }

  #outstandingOfEarlierTurns(): number {
    const { present } = this.#options.turns;
    const { bufferedAmount } = this.#peer;
    if (present !== this.#turn) {
      this.#turn = present;
      this.#outstandingBefore = bufferedAmount;
    }
    return Math.min(this.#outstandingBefore, bufferedAmount);
  }

  #isTooSlow(outstanding: number, nowMs: number): boolean {
    if (outstanding <= MAX_BUFFERED_BYTES) {
      this.#slowSinceMs = null;
      return false;
    }
    this.#slowSinceMs ??= nowMs;
    return nowMs - this.#slowSinceMs >= GRACE_MS;
  }

  #isAlive(nowMs: number): boolean {
    if (nowMs - this.#probedMs < PROBE_INTERVAL_MS) {
      return true;
    }
    this.#probedMs = nowMs;
    return this.#peer.isAlive?.() ?? true;
  }
}
