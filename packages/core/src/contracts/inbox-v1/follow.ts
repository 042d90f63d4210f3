import type { FeedSubscription } from "../../foundation/context.ts";
import type { OpenStream } from "../../http/route.ts";
import { EMPTY_EPOCH, type Inbox, type InboxPosition } from "../../inbox/index.ts";
import type { Wants } from "./filters.ts";
import { eventFrame, type Frame, stateFrame } from "./frames.ts";

/** Options for a stream that follows an inbox. */
export interface FollowOptions {
  readonly inbox: Inbox;
  readonly stream: OpenStream;
  readonly since: InboxPosition | undefined;
  /**
   * Sends a frame in the stream's own wire format.
   *
   * @param position the last new item sent; a frame about an older item does not move it back
   */
  send(frame: Frame, position: InboxPosition): void;
  /** Whether the client wants the frame of this type about an event. */
  wants: Wants;
  report(error: unknown, message: string): void;
}

/**
 * Sends an inbox's changes to a stream until the stream ends or the caller stops it. It is `ready` once the replay is done
 * and the stream gets every later change, or once the stream has ended.
 */
export function follow({ inbox, stream, since, send, wants, report }: FollowOptions): FeedSubscription {
  const failed = (error: unknown) => {
    report(error, "Belfry could not read an inbox for a stream; the client is to come again.");
    stream.close(1011, "try again");
  };
  let position = since ?? { seq: 0, epoch: EMPTY_EPOCH };
  const subscription = inbox.subscribe(
    {
      writable: () => stream.writable(),
      onEvent(event) {
        if (event.change === "created") {
          position = { seq: event.seq, epoch: event.epoch };
        }
        const frame = eventFrame(event, inbox.owner);
        if (wants(frame.type, event)) {
          send(frame, position);
        }
      },
      onState(recovered, reached) {
        position = reached;
        inbox.counts().then((counts) => send(stateFrame(counts, recovered), position), failed);
      },
    },
    since,
  );
  return { ready: subscription.ready.catch(failed), close: () => subscription.close() };
}
