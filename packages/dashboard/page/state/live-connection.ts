import type { Json, LiveEvents } from "../../src/wire.ts";
import { apiUrl } from "./api.ts";

/** How the page learns of changes: by the stream, or, until it is back, by asking. */
export type LiveState = "connecting" | "live" | "polling";

/** Something that may have changed what is shown. */
export type LiveEvent =
  | { readonly [Name in keyof LiveEvents]: { readonly name: Name; readonly data: Json<LiveEvents[Name]> } }[keyof LiveEvents]
  /** While there is no stream: look for yourself. */
  | { readonly name: "tick" };

/** How often the page asks while the stream is down. */
const POLL_MS = 5_000;

/** How long a stream may say nothing: the server gives a sign of life every 12 seconds. */
const SILENCE_MS = 30_000;

/** How long a tab may be out of sight before it gives up its stream: a browser has only six connections to a server. */
const HIDDEN_MS = 10_000;

const NAMES = ["hello", "notification", "inbox", "reset"] as const;

/**
 * The page's one live stream. The browser connects again by itself after a lost connection; after an answer that is no
 * stream it gives up, so then this does, from after the last event all the same.
 */
export class LiveConnection {
  readonly #events = new Set<(event: LiveEvent) => void>();
  readonly #states = new Set<(state: LiveState) => void>();
  #source: EventSource | null = null;
  #lastId: string | null = null;
  #heardAtMs = 0;
  #state: LiveState = "connecting";
  #giveUp: ReturnType<typeof setTimeout> | undefined;
  /** While the tab is out of sight. */
  #isGivenUp = false;

  constructor() {
    this.#open();
    setInterval(() => this.#watch(), POLL_MS);
    document.addEventListener("visibilitychange", () => this.#onSight());
  }

  /** How changes are learned of at this moment. */
  get state(): LiveState {
    return this.#state;
  }

  /** Hears of events, until the returned function is called. */
  onEvent(listener: (event: LiveEvent) => void): () => void {
    this.#events.add(listener);
    return () => void this.#events.delete(listener);
  }

  /** Hears of changes of {@link state}, until the returned function is called. */
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

  /** The browser does not tell of a connection that ended without a word; silence does. */
  #heard(): void {
    this.#heardAtMs = Date.now();
  }

  #close(): void {
    this.#source?.close();
    this.#source = null;
    this.#become("polling");
  }

  /** A tab out of sight asks now and then instead; in sight again, it goes on where its stream ended. */
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

  /** Without a stream, everything shown is asked for anew, and a stream that has ended or fallen silent is opened again. */
  #watch(): void {
    if (this.#source !== null && Date.now() - this.#heardAtMs > SILENCE_MS) {
      this.#close();
    }
    if (this.#state === "live") {
      return;
    }
    this.#become("polling");
    this.#tell({ name: "tick" });
    const isOver = this.#source === null || this.#source.readyState === EventSource.CLOSED;
    if (isOver && !this.#isGivenUp) {
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
