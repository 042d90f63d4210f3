import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { SocketSession } from "../http/contract.ts";
import type { Peer } from "../http/messages.ts";
import type { Connection } from "../http/socket.ts";
import type { FrameQueue, FrameSink } from "./frame-queue.ts";

/** A reader with more unread bytes than this would not reach a close frame behind them. */
const POLITE_CLOSE_BYTES = 64 * 1024;

/** The longest time for a pong, measured by a clock that cannot be moved. */
const PONG_MS = 10_000;

/** A WebSocket that was just opened, with its connection. Whole frames are written to that directly. */
export interface OpenedSocket {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  readonly frames: FrameQueue;
}

// All sockets share the same listener functions, which find their peer here.
const peers = new WeakMap<WebSocket, SocketPeer>();

/** Opens the session of a WebSocket and passes messages between the two. */
export function attachSocket(opened: OpenedSocket, connection: Extract<Connection, { accepted: true }>): void {
  const { webSocket } = opened;
  const peer = new SocketPeer(opened);
  peer.session = connection.open(peer);
  peers.set(webSocket, peer);
  webSocket.on("pong", notePong);
  webSocket.on("message", passMessage);
  webSocket.on("close", passClose);
  webSocket.on("error", leaveToClose);
}

function passMessage(this: WebSocket, data: RawData): void {
  // Messages that arrive after the close frame was sent are dropped.
  if (this.readyState === this.OPEN) {
    peers.get(this)?.session?.message(data.toString());
  }
}

function notePong(this: WebSocket): void {
  peers.get(this)?.answered();
}

function passClose(this: WebSocket): void {
  peers.get(this)?.session?.closed();
}

/** After a protocol error ws closes the socket itself, with the code that fits, and `close` follows. */
function leaveToClose(): void {}

class SocketPeer implements Peer, FrameSink {
  readonly frames: Buffer[] = [];
  /** The session that gets the messages; null until it is open. */
  session: SocketSession | null = null;
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #queue: FrameQueue;
  #queuedBytes = 0;
  /** The time of the unanswered ping; null for none. */
  #pingedMs: number | null = null;

  constructor({ webSocket, socket, frames }: OpenedSocket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#queue = frames;
  }

  get bufferedAmount(): number {
    return this.#webSocket.bufferedAmount + this.#queuedBytes;
  }

  send(text: string): void {
    if (this.#isOpen) {
      this.#queuedBytes += this.#queue.add(this, text);
    }
  }

  write(bytes: Buffer): void {
    this.#queuedBytes = 0;
    if (this.#isOpen) {
      this.#socket.write(bytes);
    }
  }

  isAlive(): boolean {
    if (this.#pingedMs !== null) {
      return performance.now() - this.#pingedMs < PONG_MS;
    }
    if (this.#isOpen) {
      this.#pingedMs = performance.now();
      this.#webSocket.ping();
    }
    return true;
  }

  answered(): void {
    this.#pingedMs = null;
  }

  close(code = 1000, reason = ""): void {
    if (this.bufferedAmount > POLITE_CLOSE_BYTES) {
      this.#webSocket.terminate();
      return;
    }
    // Texts sent in this turn go before the close frame.
    if (this.frames.length > 0) {
      this.write(Buffer.concat(this.frames.splice(0)));
    }
    this.#webSocket.close(code, reason);
  }

  get #isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN;
  }
}
