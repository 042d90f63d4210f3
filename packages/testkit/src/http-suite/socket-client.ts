import { WebSocket } from "ws";

/** A frame of a contract. */
export interface ReceivedFrame {
  readonly type?: string;
  readonly seq?: number;
  readonly epoch?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** Keeps the received frames, and lets a test wait for a condition on them. */
export class Received {
  readonly frames: ReceivedFrame[] = [];
  readonly #waiting = new Set<() => void>();

  add(frame: ReceivedFrame): void {
    this.frames.push(frame);
    this.changed();
  }

  /** Checks the conditions again; call it after every change. */
  changed(): void {
    for (const check of [...this.#waiting]) {
      check();
    }
  }

  /** Resolves once `condition` holds; the test's own time limit is the only one. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (condition()) {
          this.#waiting.delete(check);
          resolve();
        }
      };
      this.#waiting.add(check);
      check();
    });
  }

  async count(count: number): Promise<ReceivedFrame[]> {
    await this.until(() => this.frames.length >= count);
    return this.frames;
  }
}

/** A real WebSocket client. */
export class SocketClient {
  readonly received = new Received();
  readonly socket: WebSocket;
  /** The close code, once closed. */
  closeCode: number | null = null;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(url.replace(/^http/, "ws"), { headers });
    this.socket.on("message", (data) => this.received.add(JSON.parse(String(data)) as ReceivedFrame));
    this.socket.on("close", (code) => {
      this.closeCode = code;
      this.received.changed();
    });
    // A refused or broken connection also shows as a close.
    this.socket.on("error", () => this.received.changed());
  }

  /** Resolves once the server has opened the session, after which it answers messages. */
  async ready(): Promise<this> {
    await new Promise<void>((resolve) => {
      if (this.socket.readyState === WebSocket.OPEN) {
        resolve();
      } else {
        this.socket.once("open", () => resolve());
      }
    });
    const before = this.received.frames.length;
    this.send({ type: "no such type" });
    await this.received.until(() => this.received.frames.some((frame, at) => at >= before && frame.error === "Unknown message type"));
    this.received.frames.length = 0;
    return this;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  async closed(): Promise<number> {
    await this.received.until(() => this.closeCode !== null);
    return this.closeCode ?? 0;
  }

  /** Breaks the connection without a close frame, as a lost network does. */
  drop(): void {
    this.socket.terminate();
  }
}
