import type { Clock } from "../foundation/clock.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import type { HandlerSettings } from "./handler-options.ts";
import type { Stream, StreamOptions } from "./stream.ts";

/**
 * The first texts of a socket leave after this time. Clients that add their listener only after they have awaited the
 * connection would miss texts that arrive with the handshake's answer.
 */
const SOCKET_HOLD_MS = 5;

/** The interval at which one timer checks all streams. */
const SWEEP_INTERVAL_MS = 5_000;

/**
 * Watches every open stream and socket of a handler. It pings silent ones, cuts off slow readers, and ends streams whose
 * credential expired.
 */
export class StreamRegistry {
  readonly #clock: Clock;
  readonly #sinceStart: Clock;
  readonly #streams = new Set<Stream>();
  /** The options of streams that are alike. */
  readonly #options = new Map<string, StreamOptions>();
  readonly #sweep: Loop;

  constructor({ clock, logger }: Pick<HandlerSettings, "clock" | "logger">) {
    this.#clock = clock;
    const startMs = clock.now();
    // Node takes a difference of times for a number with decimals, which has its own memory, until it is rounded.
    this.#sinceStart = { now: () => Math.floor(clock.now() - startMs), after: (delayMs, task) => clock.after(delayMs, task) };
    this.#sweep = new Loop({ clock, logger, task: "look at the open streams", run: () => this.#lookAtAll() });
  }

  /** Watches a stream that has {@link optionsOf} this registry. */
  watch<Kind extends Stream>(stream: Kind): Kind {
    this.#streams.add(stream);
    this.#sweep.wakeIn(SWEEP_INTERVAL_MS);
    return stream;
  }

  /** The options of a stream. It sends `ping` after 30 s of silence. The first texts of a `socket` leave after 5 ms. */
  optionsOf(ping: string | undefined, kind: "socket" | "response"): StreamOptions {
    const name = `${kind} ${ping}`;
    const holdMs = kind === "socket" ? SOCKET_HOLD_MS : 0;
    const options = this.#options.get(name) ?? { ping, holdMs, clock: this.#sinceStart, onGone: (gone: Stream) => this.#remove(gone) };
    this.#options.set(name, options);
    return options;
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
      // Cancels its timer; the next stream sets it again.
      void this.#sweep.stop();
      this.#sweep.start();
    }
  }

  #lookAtAll(): NextRun {
    const nowMs = this.#clock.now();
    for (const stream of [...this.#streams]) {
      if (stream.expiresAtS !== null && nowMs >= stream.expiresAtS * 1_000) {
        stream.close(4401, "credential expired");
      } else {
        stream.look();
      }
    }
    return this.#streams.size > 0 ? SWEEP_INTERVAL_MS : null;
  }
}
