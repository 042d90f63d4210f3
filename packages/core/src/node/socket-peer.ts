import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { SocketSession } from "../http/contract.ts";
import type { Peer } from "../http/messages.ts";
import type { Connection } from "../http/socket.ts";
import { FrameQueue, type FrameSink, type Frames, textFrame, writeGathered } from "./frame-queue.ts";

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

    override emit(event: string | symbol, ...values: unknown[]): boolean {
      return this.peer?.takes(event, values[0]) === true || super.emit(event, ...values);
    }
  };
}

/** A WebSocket that tells its peer what happens. Listeners would take memory for each socket. */
export interface PeerSocket extends WebSocket {
  peer: SocketPeer | null;
}

/** The other end of a WebSocket. */
export class SocketPeer implements Peer, FrameSink {
  gathered: Frames | null = null;
  /** The session that gets the messages; null until it is open. */
  session: SocketSession | null = null;
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
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
    return this.#socket.writableLength + (this.gathered?.length ?? 0);
  }

  send(text: string): void {
    frames.add(this, text);
  }

  write(bytes: Buffer): void {
    if (isOpen(this.#webSocket)) {
      this.#socket.write(bytes);
    }
  }

  isAlive(): boolean {
    if (this.#pingedMs !== null) {
      return performance.now() - this.#pingedMs < PONG_MS;
    }
    if (isOpen(this.#webSocket)) {
      this.#pingedMs = performance.now();
      this.#webSocket.ping();
    }
    return true;
  }

  close(code = 1000, reason = ""): void {
    if (this.bufferedAmount > POLITE_CLOSE_BYTES) {
      this.#webSocket.terminate();
      return;
    }
    // Texts sent in this turn go before the close frame.
    writeGathered(this);
    this.#webSocket.close(code, reason);
  }
}

/** It stands alone: a private accessor would take memory for each socket. */
function isOpen({ readyState, OPEN }: WebSocket): boolean {
  return readyState === OPEN;
}
