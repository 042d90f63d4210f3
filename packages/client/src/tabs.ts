import type { Change } from "./change.ts";
import type { ConnectionStatus } from "./connection.ts";
import type { Frame } from "./frame.ts";
import type { ClientError } from "./http.ts";
import type { Item, Position } from "./item.ts";
import type { Outcome } from "./queue.ts";

/** What tabs of one browser say to each other. */
export type TabMessage<Shown extends Item> =
  /** A tab says how far it was told, and which changes it waits for. */
  | { readonly say: "hello"; readonly from: string; readonly position: Position | null; readonly changes: readonly Change[] }
  /** The leader leads from now on: every tab is to say hello. */
  | { readonly say: "lead" }
  /** The leader passes on frames, which follow the position `before`: to one tab, or to all. */
  | { readonly say: "frames"; readonly to?: string; readonly before: Position; readonly frames: readonly Frame<Shown>[] }
  /** The leader does not have what a tab missed: it is to list the inbox again, and to follow from this position. */
  | { readonly say: "lost"; readonly to: string; readonly position: Position }
  | { readonly say: "status"; readonly status: ConnectionStatus; readonly error: ClientError | null }
  | { readonly say: "change"; readonly change: Change }
  | { readonly say: "outcome"; readonly outcome: Outcome };

/** What {@link Tabs} tell a tab. */
export interface TabsParts<Shown extends Item> {
  /** The tab has the connection, and sends all changes, from now on. */
  onLead(): void;
  /** Another tab took over. */
  onYield(): void;
  onMessage(message: TabMessage<Shown>): void;
  /** A tab that follows is to ask the leader what it missed. */
  onAsk(): void;
}

/** A visible tab asks the leader this often whether it is alive. */
const ASK_EVERY_MS = 10_000;
/** A leader that left this many questions unanswered hangs. */
const MAX_UNANSWERED = 2;

/**
 * The tabs of one browser that share a connection. The one that holds a Web Lock leads, and the browser gives the lock to another when it is
 * closed. A leader that hangs is replaced. Without Web Locks or BroadcastChannel, a tab leads itself.
 */
export class Tabs<Shown extends Item> {
  /** The name of this tab. */
  readonly id = crypto.randomUUID();
  readonly #name: string | null;
  readonly #parts: TabsParts<Shown>;
  #channel: BroadcastChannel | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #release: (() => void) | null = null;
  #unanswered = 0;
  isLeader = false;

  /** @param name what the tabs share; null for a tab that is by itself */
  constructor(name: string | null, parts: TabsParts<Shown>) {
    this.#name = typeof BroadcastChannel === "undefined" || !globalThis.navigator?.locks ? null : name;
    this.#parts = parts;
  }

  join(): void {
    if (this.#name === null) {
      this.#lead();
      return;
    }
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage<Shown>>) => {
      if (data.say !== "hello" && data.say !== "change") {
        this.#unanswered = 0;
      }
      this.#parts.onMessage(data);
    };
    this.#timer = setInterval(() => this.#watch(), ASK_EVERY_MS);
    this.#wish({});
  }

  leave(): void {
    clearInterval(this.#timer);
    this.#channel?.close();
    this.#channel = null;
    this.#release?.();
    this.isLeader = false;
  }

  /** Says something to the other tabs. */
  post(message: TabMessage<Shown>): void {
    this.#channel?.postMessage(message);
  }

  /** Waits for the lock, or takes it from a leader that hangs. */
  #wish(options: LockOptions): void {
    const channel = this.#channel;
    const held = () =>
      new Promise<void>((resolve) => {
        if (this.#channel !== channel) {
          resolve();
          return;
        }
        this.#release = resolve;
        this.#lead();
      });
    navigator.locks.request(this.#name ?? "", options, held).catch(() => {
      // Another tab took it. This one waits again, unless it left.
      if (this.#channel === channel && channel !== null) {
        this.isLeader = false;
        this.#parts.onYield();
        this.#wish({});
      }
    });
  }

  #lead(): void {
    this.isLeader = true;
    this.#parts.onLead();
  }

  #watch(): void {
    if (this.isLeader || globalThis.document?.visibilityState === "hidden") {
      return;
    }
    if (this.#unanswered >= MAX_UNANSWERED) {
      this.#unanswered = 0;
      this.#wish({ steal: true });
    } else {
      this.#unanswered += 1;
      this.#parts.onAsk();
    }
  }
}
