import { SignJWT } from "jose";
import { WebSocket } from "ws";

/** The secret of every server that the tests start. */
export const JWT_SECRET = "the secret of all servers of the system tests";

/** Makes a user's token. */
export function tokenOf(userId: string, expires: string | number = "1h"): Promise<string> {
  const token = new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject(userId).setExpirationTime(expires);
  return token.sign(new TextEncoder().encode(JWT_SECRET));
}

/** A frame of the contract `inbox-v1`. */
export interface InboxFrame {
  readonly type: string;
  readonly seq: number;
  readonly epoch: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * A client that follows one user's inbox over a real WebSocket, from the inbox's beginning. When it connects again, it
 * resumes at its position, as the documents tell clients to.
 */
export class InboxFollower {
  readonly userId: string;
  /** The frames of new items over all connections, in the order of arrival. */
  readonly created: InboxFrame[] = [];
  /** The `recovered` of each `inbox_state`. */
  readonly recovered: boolean[] = [];
  /** How often its connection was lost. */
  losses = 0;
  #socket: WebSocket | null = null;
  #lost: Promise<void> = Promise.resolve();
  #position = "since=0&epoch=0";
  #waiting: { check(): boolean; resolve(): void }[] = [];
  readonly #listeners: ((frame: InboxFrame) => void)[];

  /** @param onCreated is called with each frame of a new item */
  constructor(userId: string, onCreated: (frame: InboxFrame) => void = () => {}) {
    this.userId = userId;
    this.#listeners = [onCreated];
  }

  /** Connects to a server and resolves once it has got the items it missed and is live. */
  async connect(url: string): Promise<void> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/api/v1/ws/events?token=${await tokenOf(this.userId)}&${this.#position}`);
    this.#socket = socket;
    // An error also shows as a close.
    socket.on("error", () => {});
    const states = this.recovered.length;
    socket.on("message", (data) => this.#receive(JSON.parse(String(data)) as InboxFrame));
    let isClosed = false;
    this.#lost = new Promise<void>((resolve) => socket.once("close", () => resolve())).then(() => {
      isClosed = true;
      this.losses += 1;
    });
    await Promise.race([this.until(() => this.recovered.length > states), this.#lost]);
    if (isClosed) {
      throw new Error(`The socket of ${this.userId} was closed before it was live.`);
    }
  }

  /** Resolves once its present connection is lost. */
  lost(): Promise<void> {
    return this.#lost;
  }

  /** Asks `check` after every frame, and resolves once it returns true; only the test's time limit ends it. */
  until(check: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (check()) {
        resolve();
      } else {
        this.#waiting.push({ check, resolve });
      }
    });
  }

  /** Calls `listener` with each frame of a new item, too. */
  listen(listener: (frame: InboxFrame) => void): void {
    this.#listeners.push(listener);
  }

  /** Acknowledges an item on its present connection. */
  acknowledge(id: string): void {
    this.#socket?.send(JSON.stringify({ type: "ack", notification_id: id }));
  }

  /** Breaks the connection, and stays as it is otherwise: whoever keeps it following connects again. */
  drop(): void {
    this.#socket?.terminate();
  }

  /** Breaks the connection for good. */
  close(): void {
    this.#socket?.terminate();
    this.#socket = null;
  }

  #receive(frame: InboxFrame): void {
    if (frame.type === "notification_new") {
      this.created.push(frame);
      for (const listener of this.#listeners) {
        listener(frame);
      }
      this.#position = `since=${frame.seq}&epoch=${frame.epoch}`;
    } else if (frame.type === "inbox_state") {
      this.recovered.push(frame.payload.recovered === true);
    }
    this.#waiting = this.#waiting.filter(({ check, resolve }) => {
      const isDone = check();
      if (isDone) {
        resolve();
      }
      return !isDone;
    });
  }
}

const RETRY_MS = 50;

/**
 * Lets a follower connect again whenever its connection is lost, until it is stopped.
 *
 * @param url returns where to connect at the moment
 */
export function keepFollowing(follower: InboxFollower, url: () => string): () => void {
  let isOver = false;
  const follow = async () => {
    while (!isOver) {
      // While the database is down, a server closes its clients' connections, and they connect again.
      await follower.connect(url()).then(
        () => follower.lost(),
        () => new Promise((resolve) => setTimeout(resolve, RETRY_MS)),
      );
    }
  };
  void follow();
  return () => {
    isOver = true;
    follower.close();
  };
}
