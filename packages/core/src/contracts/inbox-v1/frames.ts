import type { Owner } from "../../foundation/owner.ts";
import type { InboxChange, InboxCounts, InboxEvent } from "../../inbox/index.ts";
import { renderItem } from "./item.ts";

/** The frame types of each change. */
const FRAME_TYPES: Readonly<Record<InboxChange, string>> = {
  created: "notification_new",
  read: "notification_read",
  deleted: "notification_deleted",
  read_all: "notification_read_all",
  deleted_read: "notification_deleted_read",
};

/** A frame that can be sent to any number of sockets. */
export interface Frame {
  readonly type: string;
  readonly text: string;
}

// Every socket of a user gets the same object for an event, so its frame is made once.
const written = new WeakMap<InboxEvent, Frame>();

/** Returns the frame of an event. */
export function eventFrame(event: InboxEvent, owner: Owner): Frame {
  const known = written.get(event);
  if (known) {
    return known;
  }
  const { item, count, seq, epoch } = event;
  const type = FRAME_TYPES[event.change];
  const frame = {
    type,
    payload: item ? renderItem(item) : { count },
    event_type: type,
    entity_type: "notification",
    entity_id: item ? item.id : owner.userId,
    seq,
    epoch,
  };
  const made = { type, text: JSON.stringify(frame) };
  written.set(event, made);
  return made;
}

/** Returns the frame that ends a replay: the inbox's counts, and whether every missed item was replayed. */
export function stateFrame({ unread, total }: InboxCounts, recovered: boolean): Frame {
  const text = JSON.stringify({ type: "inbox_state", payload: { unread, total, recovered } });
  return { type: "inbox_state", text };
}
