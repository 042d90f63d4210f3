import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { SocketSession } from "../http/contract.ts";
import type { Peer } from "../http/messages.ts";
import type { Connection } from "../http/socket.ts";
import { FrameQueue, type FrameSink, textFrame } from "./frame-queue.ts";

/** A reader with more unread bytes than this would not reach a close frame behind them. */
const POLITE_CLOSE_BYTES = 64 * 1024;

/** The longest time for a pong, measured by a clock that cannot be moved. */
const PONG_MS = 10_000;

// A text for many sockets is framed once.
const frames = new FrameQueue(textFrame);

/** Opens the session of a WebSocket, and passes messages between the two. Whole frames go to its connection directly. */
export function attachSocket(webSocket: PeerSocket, socket: Duplex, connection: Extract<Connection, { accepted: true }>): void {
  const peer = new SocketPeer(webSocket, socket);
  peer.session = connection.open(peer);
  webSocket.peer = peer;
}

/** Makes the class of {@link PeerSocket}s. It stands in a function for runtimes that have no class to extend. */
export function peerSocketClass(): typeof WebSocket {
  return class extends WebSocket implements PeerSocket {
    peer: SocketPeer | null = null;
    /** The table of listeners that Node makes for each emitter. There are none, and it makes another one for the first. */
    _events = undefined;

    override close(code?: number, reason?: string | Buffer): void {
      if (this.peer !== null) {
        this.peer.isEnding = true;
      }
      super.close(code, reason);
    }

    override emit(event: string | symbol, ...values: unknown[]): boolean {
      return this.peer?.takes(event, values[0]) === true || super.emit(event, ...values);
    }
  };
}

/** A WebSocket that tells its peer what happens. Listeners would take memory for each socket. */
export interface PeerSocket extends WebSocket {
  peer: SocketPeer | null;
}

/**
 * The other end of a WebSocket. Between two events, other work drives the WebSocket and its connection out of the processor's caches, so an
 * event reaches the connection when it is written, and before that only if something is left unread, and the WebSocket not at all.
 */
export class SocketPeer implements Peer, FrameSink {
  // What each event needs stands together.
  gathered = 0;
  readonly #socket: Duplex;
  /** Whether the last write left nothing unread. */
  #isDrained = false;
  /** Whether the WebSocket has written its close frame, which nothing may follow. Every other end of it ends the connection at once. */
  isEnding = false;
  readonly #webSocket: WebSocket;
  /** The session that gets the messages; null until it is open. */
  session: SocketSession | null = null;
  /** The time of the unanswered ping; null for none. */
  #pingedMs: number | null = null;

  constructor(webSocket: WebSocket, socket: Duplex) {
    this.#webSocket = webSocket;
    this.#socket = socket;
  }

  /** Takes an event of the WebSocket; false if it is not for it. */
  takes(event: string | symbol, value: unknown): boolean {
    switch (event) {
      case "message":
        // Messages that arrive after the close frame was sent are dropped.
        if (isOpen(this.#webSocket)) {
          this.session?.message(String(value));
        }
        return true;
      case "ping":
        // The WebSocket has answered it, past this peer.
        this.#isDrained = false;
        return true;
      case "pong":
        this.#pingedMs = null;
        return true;
      case "close":
        this.session?.closed();
        return true;
      default:
        // After a protocol error ws closes the socket itself, with the code that fits, and `close` follows.
        return event === "error";
    }
  }

  get bufferedAmount(): number {
    return (this.#isDrained ? 0 : this.#socket.writableLength) + frames.lengthOf(this);
  }

  send(text: string): void {
    frames.add(this, text);
  }

  write(bytes: Buffer): void {
    if (!this.isEnding && !this.#socket.writableEnded) {
      this.#socket.write(bytes);
      this.#isDrained = this.#socket.writableLength === 0;
    }
  }

  isAlive(): boolean {
    if (this.#pingedMs !== null) {
      return performance.now() - this.#pingedMs < PONG_MS;
    }
    if (isOpen(this.#webSocket)) {
      this.#pingedMs = performance.now();
      this.#webSocket.ping();
      this.#isDrained = false;
    }
    return true;
  }

  close(code = 1000, reason = ""): void {
    if (this.bufferedAmount > POLITE_CLOSE_BYTES) {
      this.#webSocket.terminate();
      return;
    }
    // Texts sent in this turn go before the close frame.
    frames.write(this);
    this.#webSocket.close(code, reason);
  }
}

/** It stands alone: a private accessor would take memory for each socket. */
function isOpen({ readyState, OPEN }: WebSocket): boolean {
  return readyState === OPEN;
}
