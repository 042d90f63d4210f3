import type { FeedSubscription } from "../../foundation/context.ts";
import type { OpenStream } from "../../http/route.ts";
import { type Inbox, type InboxEvent, type InboxListener, type InboxPosition, isMatchingChange } from "../../inbox/index.ts";
import { type Frame, stateFrame } from "./frames.ts";

/** A client whose stream follows an inbox. It is the listener itself: another object for each would take memory. */
export interface Client extends InboxListener {
  readonly stream: OpenStream;
  /** Sends a frame in the stream's own wire format. */
  sendFrame(frame: Frame): void;
  report(error: unknown, message: string): void;
}

/** Sends a client the state of its inbox. */
export function sendState(inbox: Inbox, client: Client, recovered: boolean): void {
  inbox.counts().then(
    (counts) => client.sendFrame(stateFrame(counts, recovered)),
    (error) => failed(client, error),
  );
}

/**
 * Tells a client to list its inbox again after a change of many items, of which the contract has no frame. That of a mark of everything says
 * how many items it changed, which is not known if its signal was lost.
 */
export function lookAgain(inbox: Inbox, client: Client, { change, count }: InboxEvent): void {
  const isCountLost = count === 0 && (change === "read_all" || change === "deleted_read");
  if (isCountLost || (count > 0 && isMatchingChange(change) && change !== "seen_matching")) {
    sendState(inbox, client, false);
  }
}

function failed(client: Client, error: unknown): void {
  client.report(error, "Belfry could not read an inbox for a stream; the client is to come again.");
  client.stream.close(1011, "try again");
}

/** An inbox that is followed. */
interface Followed {
  readonly subscription: FeedSubscription;
  /** Resolves once the replay is done and the stream gets every later change, or once the stream has ended. */
  readonly ready: Promise<void>;
}

/** Sends an inbox's changes to a client until its stream ends or the caller closes the subscription. */
export function follow(inbox: Inbox, client: Client, since: InboxPosition | undefined): Followed {
  const subscription = inbox.subscribe(client, since);
  return { subscription, ready: subscription.ready.catch((error) => failed(client, error)) };
}
