import type { Inbox } from "../../inbox.ts";
import type { InboxPosition } from "../../model/inbox-item.ts";
import type { OpenStream } from "../../http/route.ts";
import { eventFrame, type Frame, stateFrame } from "./frames.ts";

/** How a stream follows an inbox. */
export interface FollowOptions {
  readonly inbox: Inbox;
  readonly stream: OpenStream;
  readonly since: InboxPosition | undefined;
  /** Sends a frame in the stream's own wire format. */
  send(frame: Frame): void;
  /** Whether the client wants frames of this type. */
  wants(type: string): boolean;
  report(error: unknown, message: string): void;
}

/** Sends an inbox's changes down a stream; the returned function ends it. */
export function follow({ inbox, stream, since, send, wants, report }: FollowOptions): () => void {
  const failed = (error: unknown) => {
    report(error, "Belfry could not read an inbox for a stream; the client is to come again.");
    stream.close(1011, "try again");
  };
  const subscription = inbox.subscribe(
    {
      writable: () => stream.writable(),
      onEvent(event) {
        const frame = eventFrame(event, inbox.owner);
        if (wants(frame.type)) {
          send(frame);
        }
      },
      onState(recovered) {
        inbox.counts().then((counts) => send(stateFrame(counts, recovered)), failed);
      },
    },
    since,
  );
  subscription.ready.catch(failed);
  return () => subscription.close();
}
