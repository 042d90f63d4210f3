import { BelfryError } from "../foundation/errors.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import { RepeatedLines } from "../foundation/repeated-lines.ts";
import { addressKey, clientAddress } from "./client-address.ts";
import type { HandlerSettings } from "./handler-options.ts";
import type { HttpRequest } from "./messages.ts";
import type { SocketCounts } from "./socket-counts.ts";

const DEFAULT_MAX = 1_000;
/** The time after which an address with too many streams may try again. */
const RETRY_MS = 30_000;

const NOT_COUNTED = (): void => {};

type Settings = Pick<HandlerSettings, "clientAddress" | "maxSocketsPerAddress" | "socketCounts" | "logger" | "clock">;

/** Counts the open streams and sockets of each address, including those that are being opened. */
export class StreamCounts {
  readonly #settings: Settings;
  readonly #lines: RepeatedLines;
  readonly #counts = new Map<string, number>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#lines = new RepeatedLines(settings.logger, settings.clock);
  }

  /** Throws `RATE_LIMITED` when the request's address has reached its limit in this process. */
  check(request: HttpRequest): void {
    const address = this.#addressOf(request);
    if (address !== null && this.#here(address) >= this.#max) {
      throw this.#refusal();
    }
  }

  /**
   * Throws `RATE_LIMITED` when the request's address has reached its limit together with what other processes have open. It waits for nothing
   * where each process counts its own.
   *
   * @param counted how many of those that count here are this request's own
   */
  checkAll(request: HttpRequest, counted: 0 | 1): MaybePromise<void> {
    const { socketCounts } = this.#settings;
    const address = socketCounts === undefined ? null : this.#addressOf(request);
    return socketCounts === undefined || address === null ? undefined : this.#checkAll(socketCounts, { address, counted });
  }

  async #checkAll(counts: SocketCounts, { address, counted }: { readonly address: string; readonly counted: number }): Promise<void> {
    const elsewhere = await this.#elsewhere(counts, address);
    if (this.#here(address) - counted + elsewhere >= this.#max) {
      throw this.#refusal();
    }
  }

  /** Counts one stream or socket. The returned function removes it from the count. */
  add(request: HttpRequest): () => void {
    const address = this.#addressOf(request);
    if (address === null) {
      return NOT_COUNTED;
    }
    this.#counts.set(address, this.#here(address) + 1);
    this.#tell(address);
    let isCounted = true;
    return () => {
      if (isCounted) {
        isCounted = false;
        this.#takeOff(address);
      }
    };
  }

  #takeOff(address: string): void {
    const left = this.#here(address) - 1;
    if (left > 0) {
      this.#counts.set(address, left);
    } else {
      this.#counts.delete(address);
    }
    this.#tell(address);
  }

  #here(address: string): number {
    return this.#counts.get(address) ?? 0;
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
      return await counts.note(address, this.#here(address));
    } catch (error) {
      this.#lines.warn({ error }, "Belfry could not count the sockets that other processes have open; it counts its own.");
      return 0;
    }
  }

  #refusal(): BelfryError {
    this.#lines.warn({}, "An address has as many streams and sockets open as it may (maxSocketsPerAddress); Belfry refused another one.");
    return new BelfryError("RATE_LIMITED", "This address has too many streams and sockets open.", {
      details: { retry_after_ms: RETRY_MS },
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
