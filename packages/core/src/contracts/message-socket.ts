import { BelfryError } from "../foundation/errors.ts";
import type { SocketContext, SocketSession } from "../http/contract.ts";

/** A message of a client: a JSON object. */
export type ClientMessage = Readonly<Record<string, unknown>>;

/**
 * Parses a WebSocket message. Returns undefined when it is not JSON, and an empty object when it is JSON but not an object.
 *
 * @example
 * ```ts
 * parseMessage('{"type":"ping"}'); // { type: "ping" }
 * ```
 */
export function parseMessage(text: string): ClientMessage | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as ClientMessage) : {};
  } catch {
    // JSON.parse has only this error. The caller tells the client.
    return undefined;
  }
}

/** The turn of sockets that answer nothing now. */
const IDLE = Promise.resolve();

/** A WebSocket session that answers JSON messages, one after another in their order. */
export abstract class MessageSocket implements SocketSession {
  protected readonly context: SocketContext;
  /** The current message; null once the socket is closed. */
  #turn: Promise<void> | null = IDLE;

  constructor(context: SocketContext) {
    this.context = context;
  }

  protected get isClosed(): boolean {
    return this.#turn === null;
  }

  message(text: string): void {
    this.next(async () => {
      const message = parseMessage(text);
      await (message === undefined ? this.error("Invalid JSON message") : this.answer(message));
    });
  }

  closed(): void {
    this.#turn = null;
  }

  protected abstract answer(message: ClientMessage): Promise<void> | void;

  /** Tells the client of an error. */
  protected abstract error(message: string): void;

  /** Runs `task` after the earlier ones, unless the socket is closed by then. */
  protected next(task: () => Promise<void>): void {
    const turn = this.#turn
      ?.then(() => (this.isClosed ? undefined : task()))
      .catch((error: unknown) => {
        this.context.report(error, "Belfry could not answer a WebSocket message.");
        this.error("Internal server error");
      })
      .then(() => {
        // An idle socket keeps nothing of its last turn.
        if (this.#turn === turn) {
          this.#turn = IDLE;
        }
      });
    this.#turn = turn ?? null;
  }

  /** Sends the answer to an acknowledgement, or says that the client has no such notification. */
  protected async sendAcknowledged(acknowledge: () => Promise<object>): Promise<void> {
    try {
      this.send(await acknowledge());
    } catch (error) {
      if (!(error instanceof BelfryError) || (error.code !== "NOT_FOUND" && error.code !== "FORBIDDEN")) {
        throw error;
      }
      this.error("Notification not found");
    }
  }

  protected send(message: object): void {
    this.context.stream.send(JSON.stringify(message));
  }
}
