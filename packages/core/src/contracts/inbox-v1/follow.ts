import type { FeedSubscription } from "../../foundation/context.ts";
import type { OpenStream } from "../../http/route.ts";
import { EMPTY_EPOCH, type Inbox, type InboxEvent, type InboxListener, type InboxPosition } from "../../inbox/index.ts";
import type { Wants } from "./filters.ts";
import { eventFrame, type Frame, stateFrame } from "./frames.ts";

const START: InboxPosition = { seq: 0, epoch: EMPTY_EPOCH };

/** A client whose stream follows an inbox. */
export interface Client {
  readonly stream: OpenStream;
  /**
   * Sends a frame in the stream's own wire format.
   *
   * @param position the last new item sent; a frame about an older item does not move it back
   */
  sendFrame(frame: Frame, position: InboxPosition): void;
  /** Whether the client wants the frame of this type about an event. */
  wants(...asked: Parameters<Wants>): boolean;
  report(error: unknown, message: string): void;
}

/** Tells a client of what happens in an inbox. */
class Follower implements InboxListener {
  readonly #inbox: Inbox;
  readonly #client: Client;
  #position: InboxPosition;

  constructor(inbox: Inbox, client: Client, since: InboxPosition) {
    this.#inbox = inbox;
    this.#client = client;
    this.#position = since;
  }

  writable(): Promise<void> | undefined {
    return this.#client.stream.writable();
  }

  onEvent(event: InboxEvent): void {
    if (event.change === "created") {
      this.#position = { seq: event.seq, epoch: event.epoch };
    }
    const frame = eventFrame(event, this.#inbox.owner);
    if (this.#client.wants(frame.type, event)) {
      this.#client.sendFrame(frame, this.#position);
    }
  }

  onState(recovered: boolean, reached: InboxPosition): void {
    this.#position = reached;
    this.#inbox.counts().then(
      (counts) => this.#client.sendFrame(stateFrame(counts, recovered), this.#position),
      (error) => this.failed(error),
    );
  }

  failed(error: unknown): void {
    this.#client.report(error, "Belfry could not read an inbox for a stream; the client is to come again.");
    this.#client.stream.close(1011, "try again");
  }
}

/** An inbox that is followed. */
interface Followed {
  readonly subscription: FeedSubscription;
  /** Resolves once the replay is done and the stream gets every later change, or once the stream has ended. */
  readonly ready: Promise<void>;
}

/** Sends an inbox's changes to a client until its stream ends or the caller closes the subscription. */
export function follow(inbox: Inbox, client: Client, since: InboxPosition | undefined): Followed {
  const follower = new Follower(inbox, client, since ?? START);
  const subscription = inbox.subscribe(follower, since);
  return { subscription, ready: subscription.ready.catch((error) => follower.failed(error)) };
}
