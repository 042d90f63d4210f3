import type { Counts, Item } from "./item.ts";

/** The version of the frames that this client knows. */
export const FRAME_VERSION = 1;

/** The server tells of a new item, or of a change. */
export interface ChangeFrame<Shown extends Item = Item> {
  readonly v: number;
  readonly type: "change";
  readonly change: string;
  /** The item after it; null for a change of many, and for an item that is gone for good. */
  readonly item: Shown | null;
  /** The item's number; for a change of everything, the last number that it covers. */
  readonly seq: number;
  readonly epoch: string;
  /** The number of the change; missing for a new item. */
  readonly rev?: number;
  /** How many more frames of the same change follow. */
  readonly left?: number;
  /** When everything was changed, ISO 8601. */
  readonly at?: string;
  /** The numbers of the items that a change of many changed. */
  readonly seqs?: readonly number[];
  /** The counts of that moment, or a later one. */
  readonly counts?: Counts;
}

/** The server tells where it is. */
export interface StateFrame {
  readonly v: number;
  readonly type: "state";
  /** False when something was missed that is not told: then the inbox is to be listed anew. */
  readonly recovered: boolean;
  /** `epoch:seq:rev` */
  readonly position: string;
  readonly counts: Counts;
  /** Whether a client that polls made it. */
  readonly isPolled?: boolean;
}

/** A frame that says something of the inbox. */
export type Frame<Shown extends Item = Item> = ChangeFrame<Shown> | StateFrame;

/** Reads the text of a frame; null for one that says nothing of the inbox, such as a ping. */
export function parseFrame<Shown extends Item>(text: string): Frame<Shown> | null {
  const frame = JSON.parse(text) as Frame<Shown>;
  if (frame.type !== "change" && frame.type !== "state") {
    return null;
  }
  // What a newer version says may mean something else: all that is known by then is where the inbox stands.
  return frame.v > FRAME_VERSION && frame.counts !== undefined ? lostFrame(frame.counts) : frame;
}

/** The frame of who only knows where the inbox stands. */
export function lostFrame(counts: Counts): StateFrame {
  const { epoch, lastSeq, rev } = counts;
  return { v: FRAME_VERSION, type: "state", recovered: false, position: `${epoch}:${lastSeq}:${rev}`, counts, isPolled: true };
}

/** Whether a frame tells of a change of many items, and so has none of its own. */
export function isOfMany({ change }: ChangeFrame): boolean {
  return /_(all|matching|read)$/.test(change);
}

/** Whether a change of many does not say which items it changed: there were too many. */
export function isUntold({ change, seqs }: ChangeFrame): boolean {
  return seqs === undefined && !change.endsWith("_all");
}

/** Makes the function of what a change of many makes of an item: the same object if it leaves it as it is, null if it deletes it. */
export function effectOfMany({ change, seq, seqs, at = "" }: ChangeFrame): <Shown extends Item>(item: Shown) => Shown | null {
  const named = new Set(seqs);
  const [verb = ""] = change.split("_");
  const covers = (item: Item) => (change.endsWith("_all") ? item.seq <= seq : named.has(item.seq));
  return (item) => {
    if (!covers(item)) {
      return item;
    }
    switch (verb) {
      case "read":
        return item.readAt === null ? { ...item, readAt: at, isSeen: true } : item;
      case "seen":
        return item.isSeen ? item : { ...item, isSeen: true };
      case "archived":
        return { ...item, archivedAt: at };
      default:
        return null;
    }
  };
}
