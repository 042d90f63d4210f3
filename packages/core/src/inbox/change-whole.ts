import type { Owner } from "../foundation/context.ts";
import { applyOrWarn } from "./apply-due.ts";
import type { InboxContext } from "./context.ts";
import { EMPTY_EPOCH, type WholeChange } from "./inbox-item.ts";
import type { WholeInboxChange } from "./inbox-storage.ts";
import type { ChangeKey } from "./logged-change.ts";

/** The events of a service for changes of whole inboxes. */
const WHOLE_EVENTS = {
  read_all: "inbox.all_read",
  seen_all: "inbox.all_seen",
  deleted_read: "inbox.read_deleted",
  read_matching: "inbox.matching_read",
  seen_matching: "inbox.matching_seen",
  archived_matching: "inbox.matching_archived",
} as const satisfies Record<WholeChange, string>;

/** A change of all that an inbox has, which no item has to be looked at for. */
export interface ChangingWhole {
  readonly change: "read_all" | "seen_all";
  /** The key that it is made once for. @default none */
  readonly key?: ChangeKey | undefined;
}

/** Changes all that an inbox has at this moment, tells everybody, and returns how many active items it changed. */
export async function changeWhole(context: InboxContext, owner: Owner, { change, key }: ChangingWhole): Promise<number> {
  using _call = await context.ready();
  const { inbox, clock } = context;
  const at = new Date(clock.now());
  const verb = ({ read_all: "markAllRead", seen_all: "markAllSeen" } as const)[change];
  let done = await inbox[verb](owner, at, { key, unlessDue: true });
  // An inbox begins with its first operation.
  if (done.isDue || done.counts.epoch === EMPTY_EPOCH) {
    await applyOrWarn(context, owner);
    done = await inbox[verb](owner, at, { key });
  }
  announceWhole(context, owner, { ...done, change, at });
  if (change === "read_all") {
    await context.reads.onRead(owner, null);
  }
  return done.count;
}

/** A change of a whole inbox, or of what matches a filter, as everybody is told of it; with several numbers if it took several steps. */
export type AnnouncedWhole = WholeInboxChange & { readonly change: WholeChange; readonly at: Date; readonly revs?: number };

/** Tells everybody of a change of a whole inbox, unless it changed nothing. */
export function announceWhole(context: InboxContext, owner: Owner, announced: AnnouncedWhole): void {
  publishWhole(context, owner, announced);
  emitWhole(context, owner, announced);
}

/** Tells clients and other processes of a change of a whole inbox, unless it changed nothing. */
export function publishWhole(
  { publish }: InboxContext,
  owner: Owner,
  { change, count, counts, isChange, at, revs = 1 }: AnnouncedWhole,
): void {
  if (isChange) {
    const { lastSeq, epoch, rev, total, unread, unseen } = counts;
    const place = { ...owner, change, seq: lastSeq, epoch, count, rev, lastSeq, of: 1, atMs: at.getTime() };
    publish([{ ...place, ...(revs === 1 ? {} : { revs }), counts: { total, unread, unseen } }]);
  }
}

/** Tells listeners of the service of a change of a whole inbox, unless it changed no active item. */
export function emitWhole({ events }: InboxContext, owner: Owner, { change, count }: Pick<AnnouncedWhole, "change" | "count">): void {
  if (count > 0) {
    events.emit(WHOLE_EVENTS[change], { ...owner, count });
  }
}
