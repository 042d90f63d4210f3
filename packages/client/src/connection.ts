import { type Frame, parseFrame } from "./frame.ts";
import { type Http, isRefusal } from "./http.ts";
import type { Item, Position } from "./item.ts";
import { jitter } from "./patience.ts";
import { pause } from "./pause.ts";
import { positionText } from "./position-text.ts";
import { type ClientError, errorOf, RequestError } from "./result.ts";
import { TRANSPORTS, type TransportName } from "./transports.ts";

/** Where a connection is. `offline`: it failed, and is tried again; `closed`: it was stopped. */
export type ConnectionStatus = "idle" | "connecting" | "open" | "offline" | "closed";

/** What a {@link Connection} needs. */
export interface ConnectionParts<Shown extends Item> {
  readonly http: Http;
  readonly transports: readonly TransportName[];
  /** The language of texts. */
  readonly locale: string | undefined;
  /** Gives the position to resume from; it may ask the server. */
  position(): Promise<Position>;
  onFrame(frame: Frame<Shown>): void;
  onStatus(status: ConnectionStatus, error: ClientError | null): void;
}

/** How following by one transport ended. */
interface Followed {
  readonly isOpened: boolean;
  /** Whether the server did not answer at all, or not as it would: no other transport reaches it either. */
  readonly isAway: boolean;
  readonly error: ClientError | null;
}

/** A server says something every 30 s. One that was silent for this long is gone. */
const SILENCE_MS = 65_000;

/**
 * The connection that tells of the inbox. It takes the first transport that works, and stays with it. When it breaks, it comes back at the
 * position where it was.
 */
export class Connection<Shown extends Item> {
  readonly #parts: ConnectionParts<Shown>;
  #stop: AbortController | null = null;
  /** Ends the present wait, or the present transport. */
  #turn = new AbortController();
  #isWaiting = false;
  #heardAtMs = 0;

  constructor(parts: ConnectionParts<Shown>) {
    this.#parts = parts;
  }

  /** Connects, and stays connected. */
  start(): void {
    if (this.#stop === null) {
      this.#stop = new AbortController();
      void this.#run(this.#stop.signal);
    }
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#turn.abort();
  }

  /** Tries again at once, if it waits. */
  hurry(): void {
    if (this.#isWaiting) {
      this.#turn.abort();
    }
  }

  /** Connects anew, in place of a connection that may be dead. */
  reopen(): void {
    this.#turn.abort();
  }

  async #run(stop: AbortSignal): Promise<void> {
    const { transports, onStatus } = this.#parts;
    let [failures, chosen] = [0, 0];
    onStatus("connecting", null);
    while (!stop.aborted) {
      const name = transports[chosen % transports.length] ?? "sse";
      const followed = await this.#follow(name);
      if (stop.aborted) {
        return;
      }
      const { isOpened, isAway, error } = followed;
      failures = isOpened ? 0 : failures + 1;
      chosen = nextOf(chosen, name, followed);
      onStatus("offline", error);
      // A transport that does not work makes room for the next at once. After all of them, and when it is away, the server is left alone for a while.
      if (isOpened || isAway || chosen % transports.length === 0) {
        await this.#wait(jitter(failures));
      }
    }
  }

  async #wait(ms: number): Promise<void> {
    this.#turn = new AbortController();
    this.#isWaiting = true;
    await pause(ms, this.#turn.signal);
    this.#isWaiting = false;
  }

  /** Follows the inbox by a transport until that ends. */
  async #follow(name: TransportName): Promise<Followed> {
    const { http, transports, locale, position, onFrame, onStatus } = this.#parts;
    const turn = new AbortController();
    this.#turn = turn;
    let [isOpened, isAway] = [false, false];
    let error: ClientError | null = null;
    this.#heardAtMs = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - this.#heardAtMs > SILENCE_MS) {
        turn.abort();
      }
    }, SILENCE_MS / 4);
    try {
      const since = positionText(await position());
      const onText = (text: string) => {
        const frame = turn.signal.aborted ? null : parseFrame<Shown>(text);
        if (frame !== null) {
          onFrame(frame);
          if (!isOpened) {
            isOpened = true;
            onStatus("open", null);
          }
        }
      };
      const onLife = () => {
        this.#heardAtMs = Date.now();
      };
      await TRANSPORTS[name]({ http, query: { since, locale }, isOnly: transports.length === 1, signal: turn.signal, onText, onLife });
    } catch (thrown) {
      error = errorOf(thrown);
      isAway = thrown instanceof RequestError && !isRefusal(thrown.error);
    }
    clearInterval(watch);
    return { isOpened, isAway, error };
  }
}

/** Which transport is next: the same, unless it does not work, or only asks from time to time. */
function nextOf(chosen: number, name: TransportName, { isOpened, isAway }: Followed): number {
  if (isOpened) {
    return name === "poll" ? 0 : chosen;
  }
  return isAway ? chosen : chosen + 1;
}
