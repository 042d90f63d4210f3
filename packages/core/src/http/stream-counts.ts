import { BelfryError } from "../foundation/errors.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import { RepeatedLines } from "../foundation/repeated-lines.ts";
import { addressKey, clientAddress } from "./client-address.ts";
import type { HandlerSettings } from "./handler-options.ts";
import type { HttpRequest } from "./messages.ts";
import type { SocketCounts } from "./socket-counts.ts";
import { spreadMs } from "./spread.ts";

const DEFAULT_MAX = 1_000;
/** An address with too many streams may try again after this time, or up to twice as long. */
const RETRY_MS = 30_000;

/** A stream or socket that is counted. */
export interface CountedStream {
  /**
   * Counts one that was being opened among those that are open, which other processes are told of. Throws `RATE_LIMITED` when the
   * address has reached its limit with those and with what other processes have open.
   */
  letIn(): MaybePromise<void>;
  /** Removes it from the count. Idempotent. */
  takeOff(): void;
}

const NOT_COUNTED: CountedStream = { letIn() {}, takeOff() {} };

/** How many streams and sockets of an address this process has. */
interface Count {
  open: number;
  /** Those that are not let in yet. Other processes do not know of them: they would refuse others for what is refused itself. */
  opening: number;
}

const NONE: Readonly<Count> = { open: 0, opening: 0 };

/** The parts of {@link StreamCounts} that each one that is counted uses. */
interface Counting {
  move(address: string, from: keyof Count | null, to: keyof Count | null): void;
  checkAll(address: string, passed: () => void): MaybePromise<void>;
}

/** One that is counted by its address. It is kept for each open stream: functions of its own would take four times as much memory. */
class Counted implements CountedStream {
  readonly #counting: Counting;
  readonly #address: string;
  #countedAs: keyof Count | null;

  constructor(counting: Counting, address: string, countedAs: keyof Count) {
    this.#counting = counting;
    this.#address = address;
    this.#countedAs = countedAs;
  }

  letIn(): MaybePromise<void> {
    return this.#counting.checkAll(this.#address, () => {
      if (this.#countedAs === "opening") {
        this.#counting.move(this.#address, "opening", "open");
        this.#countedAs = "open";
      }
    });
  }

  takeOff(): void {
    const countedAs = this.#countedAs;
    if (countedAs !== null) {
      this.#countedAs = null;
      this.#counting.move(this.#address, countedAs, null);
    }
  }
}

type Settings = Pick<HandlerSettings, "clientAddress" | "maxSocketsPerAddress" | "socketCounts" | "logger" | "clock">;

/** Counts the open streams and sockets of each address, including those that are being opened. */
export class StreamCounts {
  readonly #settings: Settings;
  readonly #random: () => number;
  readonly #lines: RepeatedLines;
  readonly #counts = new Map<string, Count>();
  readonly #counting: Counting = {
    move: (address, from, to) => this.#move(address, from, to),
    checkAll: (address, passed) => this.#checkAll(address, passed),
  };

  /** @param random draws when each one that is refused may try again */
  constructor(settings: Settings, random: () => number = Math.random) {
    this.#settings = settings;
    this.#random = random;
    this.#lines = new RepeatedLines(settings.logger, settings.clock);
  }

  /** Throws `RATE_LIMITED` when the request's address has reached its limit in this process, with those that are being opened. */
  check(request: HttpRequest): void {
    const address = this.#addressOf(request);
    const { open, opening } = this.#here(address);
    if (address !== null && open + opening >= this.#max) {
      throw this.#refusal();
    }
  }

  /**
   * Throws `RATE_LIMITED` when the request's address has reached its limit together with what other processes have open. It waits for nothing
   * where each process counts its own.
   */
  checkAll(request: HttpRequest): MaybePromise<void> {
    return this.#checkAll(this.#addressOf(request));
  }

  /** Counts one stream or socket that is open. */
  add(request: HttpRequest): Pick<CountedStream, "takeOff"> {
    return this.#count(this.#addressOf(request), "open");
  }

  /** Counts one stream or socket that is being opened. */
  begin(request: HttpRequest): CountedStream {
    return this.#count(this.#addressOf(request), "opening");
  }

  #count(address: string | null, first: keyof Count): CountedStream {
    if (address === null) {
      return NOT_COUNTED;
    }
    this.#move(address, null, first);
    return new Counted(this.#counting, address, first);
  }

  #move(address: string, from: keyof Count | null, to: keyof Count | null): void {
    const count = { ...this.#here(address) };
    if (from !== null) {
      count[from] -= 1;
    }
    if (to !== null) {
      count[to] += 1;
    }
    if (count.open + count.opening > 0) {
      this.#counts.set(address, count);
    } else {
      this.#counts.delete(address);
    }
    if (from === "open" || to === "open") {
      this.#tell(address);
    }
  }

  #here(address: string | null): Readonly<Count> {
    return (address === null ? undefined : this.#counts.get(address)) ?? NONE;
  }

  /** Goes on with `passed` in the same step: what it counts, the next one finds. */
  #checkAll(address: string | null, passed = () => {}): MaybePromise<void> {
    const { socketCounts } = this.#settings;
    if (socketCounts === undefined || address === null) {
      return passed();
    }
    return this.#elsewhere(socketCounts, address).then((elsewhere) => {
      if (this.#here(address).open + elsewhere >= this.#max) {
        throw this.#refusal();
      }
      passed();
    });
  }

  get #max(): number {
    const { maxSocketsPerAddress: max } = this.#settings;
    return typeof max === "number" ? max : DEFAULT_MAX;
  }

  /** Tells other processes how many are open here. */
  #tell(address: string): void {
    const { socketCounts } = this.#settings;
    if (socketCounts !== undefined) {
      void this.#elsewhere(socketCounts, address);
    }
  }

  /** Tells other processes how many are open here. How many they have. */
  async #elsewhere(counts: SocketCounts, address: string): Promise<number> {
    try {
      return await counts.note(address, this.#here(address).open);
    } catch (error) {
      this.#lines.warn({ error }, "Belfry could not count the sockets that other processes have open; it counts its own.");
      return 0;
    }
  }

  #refusal(): BelfryError {
    this.#lines.warn({}, "An address has as many streams and sockets open as it may (maxSocketsPerAddress); Belfry refused another one.");
    return new BelfryError("RATE_LIMITED", "This address has too many streams and sockets open.", {
      details: { retry_after_ms: spreadMs(RETRY_MS, this.#random()) },
    });
  }

  /**
   * Returns the address to count, or null for none. If the host sets a number, it applies to every address, also its own
   * proxy's.
   */
  #addressOf(request: HttpRequest): string | null {
    const { maxSocketsPerAddress: max } = this.#settings;
    if (max === false) {
      return null;
    }
    const named = clientAddress(this.#settings, request);
    return named ?? (max !== undefined && request.remoteAddress !== undefined ? addressKey(request.remoteAddress) : null);
  }
}
