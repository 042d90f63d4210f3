/**
 * Sends servers requests over kept connections, with as little work of its own as possible: requests are texts that were made
 * before, answers are looked at for their status and their length alone.
 *
 * Tasks: `{ define: { name, port, requests, status } }`, then `{ ask: { name, count } }`, answered with `{ bytes }` of the bodies.
 */
import { connect, type Socket } from "node:net";

const CONNECTIONS = 16;
const HEAD_END = Buffer.from("\r\n\r\n");
const CHUNKS_END = Buffer.from("0\r\n\r\n");

interface Definition {
  readonly name: string;
  readonly port: number;
  readonly requests: readonly string[];
  readonly status: number;
}

interface Task {
  readonly define?: Definition;
  readonly ask?: { readonly name: string; readonly count: number };
}

/** One kept connection: a request at a time. */
class Connection {
  readonly #socket: Socket;
  readonly #status: Buffer;
  #received: Buffer = Buffer.alloc(0);
  #resolve: (bodyBytes: number) => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor({ port, status }: Definition) {
    this.#status = Buffer.from(`HTTP/1.1 ${status} `);
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("error", (error) => this.#reject(error));
    this.#socket.on("close", () => this.#reject(new Error("The server closed a connection.")));
    this.#socket.on("data", (part) => {
      this.#received = this.#received.length === 0 ? part : Buffer.concat([this.#received, part]);
      this.#look();
    });
  }

  ask(request: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(request, "latin1");
    });
  }

  #look(): void {
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) {
      return;
    }
    const start = headEnd + HEAD_END.length;
    if (!this.#received.subarray(0, this.#status.length).equals(this.#status)) {
      this.#reject(new Error(`Expected "${this.#status}", got: ${this.#received.toString("latin1", 0, 500)}`));
      return;
    }
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(this.#received.toString("latin1", 0, headEnd)) ?? [];
    const hasAll =
      length === undefined
        ? this.#status.includes("304") || this.#received.subarray(-CHUNKS_END.length).equals(CHUNKS_END)
        : this.#received.length >= start + Number(length);
    if (hasAll) {
      const bytes = this.#received.length - start;
      this.#received = Buffer.alloc(0);
      this.#resolve(bytes);
    }
  }
}

/** A server, its connections, and where it is in its requests. */
class Target {
  readonly #requests: readonly string[];
  readonly #connections: readonly Connection[];
  #next = 0;

  constructor(definition: Definition) {
    this.#requests = definition.requests;
    this.#connections = Array.from({ length: CONNECTIONS }, () => new Connection(definition));
  }

  async ask(count: number): Promise<number> {
    let [left, bytes] = [count, 0];
    const keepAsking = async (connection: Connection) => {
      while (left > 0) {
        left -= 1;
        const request = this.#requests[this.#next % this.#requests.length] ?? "";
        this.#next += 1;
        const got = await connection.ask(request);
        bytes += got;
      }
    };
    await Promise.all(this.#connections.map(keepAsking));
    return bytes;
  }
}

const targets = new Map<string, Target>();

process.on("message", async ({ define, ask }: Task) => {
  if (define) {
    targets.set(define.name, new Target(define));
    process.send?.({});
  } else if (ask) {
    process.send?.({ bytes: (await targets.get(ask.name)?.ask(ask.count)) ?? 0 });
  }
});
