import type { Json, LiveEvents } from "../../src/wire.ts";
import { apiUrl } from "./api.ts";

/** How the page learns of changes: from the stream, or, until that is back, by asking. */
export type LiveState = "connecting" | "live" | "polling";

/** Something after which the page's contents may differ. */
export type LiveEvent =
  | { readonly [Name in keyof LiveEvents]: { readonly name: Name; readonly data: Json<LiveEvents[Name]> } }[keyof LiveEvents]
  /** There is no stream at present: load anew. */
  | { readonly name: "tick" };

/** How often the page asks while the stream is down. */
const POLL_MS = 5_000;

/** How long a stream may be silent: the server gives a sign of life every 12 seconds. */
const SILENCE_MS = 30_000;

/** How long a tab may be hidden before it closes its stream, and asks no more: a browser has only six connections to a server. */
const HIDDEN_MS = 10_000;

const NAMES = ["hello", "notification", "inbox", "reset"] as const;

/**
 * The page's one live stream. After a lost connection the browser connects again by itself. After an answer that is not a
 * stream the browser gives up; this class then connects again, and also goes on after the last event.
 */
export class LiveConnection {
  readonly #events = new Set<(event: LiveEvent) => void>();
  readonly #states = new Set<(state: LiveState) => void>();
  #source: EventSource | null = null;
  #lastId: string | null = null;
  #heardAtMs = 0;
  #state: LiveState = "connecting";
  #giveUp: ReturnType<typeof setTimeout> | undefined;
  /** Whether the stream is closed because the tab is hidden. */
  #isGivenUp = false;

  constructor() {
    this.#open();
    setInterval(() => this.#watch(), POLL_MS);
    document.addEventListener("visibilitychange", () => this.#onSight());
  }

  /** How the page learns of changes at this moment. */
  get state(): LiveState {
    return this.#state;
  }

  /** Calls `listener` with every event, until the returned function is called. */
  onEvent(listener: (event: LiveEvent) => void): () => void {
    this.#events.add(listener);
    return () => void this.#events.delete(listener);
  }

  /** Calls `listener` when {@link state} changes, until the returned function is called. */
  onState(listener: (state: LiveState) => void): () => void {
    this.#states.add(listener);
    return () => void this.#states.delete(listener);
  }

  #open(): void {
    const source = new EventSource(apiUrl("live", this.#lastId === null ? {} : { after: this.#lastId }));
    this.#source = source;
    this.#heardAtMs = Date.now();
    source.addEventListener("ping", () => this.#heard());
    for (const name of NAMES) {
      source.addEventListener(name, (message: MessageEvent<string>) => {
        this.#heard();
        this.#lastId = message.lastEventId;
        if (name === "hello") {
          this.#become("live");
        }
        this.#tell({ name, data: JSON.parse(message.data) } as LiveEvent);
      });
    }
    source.addEventListener("error", () => {
      if (this.#source === source) {
        this.#become("polling");
      }
    });
  }

  /** Notes that the stream is alive: the browser does not report a connection that broke silently. */
  #heard(): void {
    this.#heardAtMs = Date.now();
  }

  #close(): void {
    this.#source?.close();
    this.#source = null;
    this.#become("polling");
  }

  /** Closes the stream of a hidden tab, which then asks for nothing. A visible tab goes on where its stream ended. */
  #onSight(): void {
    clearTimeout(this.#giveUp);
    if (document.hidden) {
      this.#giveUp = setTimeout(() => {
        this.#isGivenUp = true;
        this.#close();
      }, HIDDEN_MS);
    } else if (this.#isGivenUp) {
      this.#isGivenUp = false;
      this.#open();
    }
  }

  /** While there is no stream, has everything loaded anew; opens a stream again that has ended or fallen silent. */
  #watch(): void {
    if (this.#source !== null && Date.now() - this.#heardAtMs > SILENCE_MS) {
      this.#close();
    }
    if (this.#state === "live" || this.#isGivenUp) {
      return;
    }
    this.#become("polling");
    this.#tell({ name: "tick" });
    if (this.#source === null || this.#source.readyState === EventSource.CLOSED) {
      this.#open();
    }
  }

  #become(state: LiveState): void {
    if (this.#state !== state) {
      this.#state = state;
      for (const listener of this.#states) {
        listener(state);
      }
    }
  }

  #tell(event: LiveEvent): void {
    for (const listener of this.#events) {
      listener(event);
    }
  }
}
