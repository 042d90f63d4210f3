import { z } from "zod";
import { timestamp } from "../../http/parameters.ts";
import { type InboxChange, type InboxCounts, type InboxEvent, type InboxPosition, type StoredItem, storedItem } from "../../inbox/index.ts";
import { eventAt } from "../event-at.ts";
import { frameOnce } from "../frame-once.ts";
import { isoTime } from "../iso-date.ts";

/** An inbox item in the `inbox-v1` contract. */
export const itemSchema = z
  .object({
    id: z.uuid(),
    user_id: z.string(),
    type: z.string(),
    title: z.string(),
    message: z.string(),
    data: z.record(z.string(), z.unknown()),
    status: z.enum(["unread", "read"]),
    read_at: timestamp.nullable(),
    created_at: timestamp,
  })
  .meta({ id: "Notification" });

let lastUser = { userId: "", json: '""' };

/** A user's name as JSON. Those of a list are all the same. */
function userIdJson(userId: string): string {
  if (lastUser.userId !== userId) {
    lastUser = { userId, json: JSON.stringify(userId) };
  }
  return lastUser.json;
}

/** Renders an inbox item for the contract, as JSON: its data is put in as the database has it. */
export function itemJson({ id, userId, type, title, message, dataJson, createdAtMs, readAtMs }: StoredItem): string {
  const text = `{"id":"${id}","user_id":${userIdJson(userId)},"type":${JSON.stringify(type)},"title":${JSON.stringify(title)}`;
  const read = readAtMs === null ? `"unread","read_at":null` : `"read","read_at":"${isoTime(readAtMs)}"`;
  return `${text},"message":${JSON.stringify(message)},"data":${dataJson},"status":${read},"created_at":"${isoTime(createdAtMs)}"}`;
}

/** Stands for an unusable position. It still requests a replay, which is answered with `recovered: false`. */
const NOWHERE: InboxPosition = { seq: -1, epoch: "" };

/** Returns the position in `since=<seq>&epoch=<epoch>`, or undefined without `since`. */
export function positionOfQuery(query: URLSearchParams): InboxPosition | undefined {
  const since = query.get("since");
  return since === null ? undefined : position(since, query.get("epoch") ?? "");
}

/** Returns the position in an SSE event id, `epoch:seq`, or undefined if there is none. */
export function positionOfEventId(id: string | undefined): InboxPosition | undefined {
  if (id === undefined || id === "") {
    return undefined;
  }
  const [epoch = "", seq = ""] = id.split(":", 2);
  return position(seq, epoch);
}

function position(seq: string, epoch: string): InboxPosition {
  const number = /^\d{1,16}$/.test(seq) ? Number(seq) : Number.NaN;
  return Number.isSafeInteger(number) ? { seq: number, epoch } : NOWHERE;
}

/** The frame type of each change. Archiving and snoozing look like deleting; changes that the contract does not know have no frame. */
const FRAME_TYPES: Readonly<Record<InboxChange, string | null>> = {
  created: "notification_new",
  read: "notification_read",
  deleted: "notification_deleted",
  read_all: "notification_read_all",
  deleted_read: "notification_deleted_read",
  archived: "notification_deleted",
  // They are told to look again: see `onEvent` of the clients.
  ...{ read_matching: null, seen_matching: null, archived_matching: null },
  snoozed: "notification_deleted",
  ...{ unarchived: null, woken: null, unread: null, updated: null, seen: null, unseen: null, seen_all: null, pinned: null, unpinned: null },
};

/** A frame that can be sent to any number of sockets. */
export interface Frame {
  readonly type: string;
  readonly text: string;
}

/** Returns the frame of an event, or null if the contract has none. `userId` names the user whose inbox it is. */
export const eventFrame = frameOnce(
  ({ change, item, count, seq, epoch }: InboxEvent, { userId }: { readonly userId: string }): Frame | null => {
    const type = FRAME_TYPES[change];
    // A change of an archived or snoozed item is none to the contract.
    if (type === null || count === 0) {
      return null;
    }
    const payload = item ? itemJson(storedItem(item)) : JSON.stringify({ count });
    const entity = { event_type: type, entity_type: "notification", entity_id: item ? item.id : userId, seq, epoch };
    return { type, text: `{"type":"${type}","payload":${payload},${JSON.stringify(entity).slice(1)}` };
  },
);

/** Returns the Server-Sent Event of a frame, from which a client resumes at a position, which has no `rev`. */
export function frameEvent({ type, text }: Frame, at: InboxPosition): string {
  return eventAt(type, text, at);
}

/** Returns the frame that ends a replay: the inbox's counts, and whether every missed item was replayed. */
export function stateFrame({ unread, total }: InboxCounts, recovered: boolean): Frame {
  const text = JSON.stringify({ type: "inbox_state", payload: { unread, total, recovered } });
  return { type: "inbox_state", text };
}
