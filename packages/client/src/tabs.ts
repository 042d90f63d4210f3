import type { Change } from "./change.ts";
import type { ConnectionStatus } from "./connection.ts";
import type { Frame } from "./frame.ts";
import type { Item, Position } from "./item.ts";
import type { Outcome } from "./queue.ts";
import type { ClientError } from "./result.ts";

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

/** A message on its way. */
type Sent<Shown extends Item> = TabMessage<Shown> & {
  /** Since when its sender leads, as far as that knows; 0 if it does not lead. Who led before does not know yet that it was replaced. */
  readonly term: number;
};

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

/** A visible tab that follows asks the leader this often whether it is alive. */
const ASK_EVERY_MS = 10_000;
/** A leader that does not answer for this long hangs: it is frozen, asleep, or busy without end. */
const ANSWER_MS = 5_000;

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
  /** Runs until the leader answers. */
  #patience: ReturnType<typeof setTimeout> | undefined;
  #release: (() => void) | null = null;
  /** Since when the present leader leads, as far as this tab knows. */
  #term = 0;
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
    this.#channel.onmessage = ({ data }: MessageEvent<Sent<Shown>>) => this.#hear(data);
    this.#timer = setInterval(() => isHidden() || this.ask(), ASK_EVERY_MS);
    this.#wish({});
  }

  leave(): void {
    clearInterval(this.#timer);
    this.#hasAnswered();
    this.#channel?.close();
    this.#channel = null;
    this.#release?.();
    this.isLeader = false;
  }

  /** Says something to the other tabs. */
  post(message: TabMessage<Shown>): void {
    this.#channel?.postMessage({ ...message, term: this.isLeader ? this.#term : 0 } satisfies Sent<Shown>);
  }

  /** Asks the leader what this tab missed. A visible tab takes over from a leader that does not answer. */
  ask(): void {
    if (!this.isLeader && this.#channel !== null) {
      this.#patience ??= setTimeout(() => this.#takeOver(), ANSWER_MS);
      this.#parts.onAsk();
    }
  }

  #hear(message: Sent<Shown>): void {
    const { say, term } = message;
    if (say !== "hello" && say !== "change" && say !== "outcome") {
      if (term < this.#term) {
        return;
      }
      if (term > this.#term) {
        this.#yield();
      }
      this.#term = term;
      this.#hasAnswered();
    }
    this.#parts.onMessage(message);
  }

  #hasAnswered(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
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
        this.#yield();
        this.#wish({});
        this.ask();
      }
    });
  }

  #lead(): void {
    this.#hasAnswered();
    this.isLeader = true;
    this.#term = Math.max(Date.now(), this.#term + 1);
    this.#parts.onLead();
  }

  #yield(): void {
    if (this.isLeader) {
      this.isLeader = false;
      this.#parts.onYield();
    }
  }

  #takeOver(): void {
    this.#patience = undefined;
    if (!this.isLeader && !isHidden()) {
      this.#wish({ steal: true });
    }
  }
}

function isHidden(): boolean {
  return globalThis.document?.visibilityState === "hidden";
}
