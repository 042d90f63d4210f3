import type { Owner } from "../foundation/context.ts";
import { isUuid } from "../foundation/ids.ts";
import { type MembersOf, requireList, requireMembers, validationError } from "../foundation/issue-list.ts";
import { shown } from "../foundation/parse-text.ts";
import { isDue, wakeDue } from "./apply-due.ts";
import { announcedOf, announceItems, type InboxContext } from "./context.ts";
import type { InboxItem, ItemChange, ItemPlace, ItemRef, WholeChange } from "./inbox-item.ts";
import type { ItemMarking, ItemsChange, WholeInboxChange } from "./inbox-storage.ts";

const SEQ_REF: MembersOf<Exclude<ItemRef, string>> = { seq: true };

/** The events of a service for changes of whole inboxes. */
const WHOLE_EVENTS = {
  read_all: "inbox.all_read",
  seen_all: "inbox.all_seen",
  deleted_read: "inbox.read_deleted",
  read_matching: "inbox.matching_read",
  seen_matching: "inbox.matching_seen",
  archived_matching: "inbox.matching_archived",
} as const satisfies Record<WholeChange, string>;

/** A change of some items of an inbox. */
export interface Changing {
  readonly owner: Owner;
  readonly refs: readonly ItemRef[];
  /** What happens to them; a snoozed item also has its time. */
  readonly change: Exclude<ItemChange, "snoozed" | "updated"> | { readonly until: Date };
  /** Whether it finds active items alone where it could find others, too. */
  readonly activeOnly: boolean;
}

/** Every place. */
export const ANYWHERE: readonly ItemPlace[] = ["active", "archived", "snoozed"];

/** The changes that leave an item where it is, or delete it from there: they find it anywhere. */
const FOUND_ANYWHERE: readonly string[] = ["read", "unread", "seen", "unseen", "pinned", "unpinned", "deleted"] satisfies ItemChange[];

/** Changes items, tells everybody of those that changed, and returns those that were found. */
export async function changeItems(context: InboxContext, changing: Changing): Promise<readonly InboxItem[]> {
  const { owner, refs, change } = changing;
  requireList(refs, "ids");
  using _call = await context.ready();
  const name = typeof change === "string" ? change : "snoozed";
  const { items, changed } = await writeByClock(context, name, { ...changing, refs: refs.filter(isPossible) });
  if (name === "snoozed" && changed.size > 0) {
    context.dueItems();
  }
  // A notification of `create` has no deliveries to look up.
  const sent = items.filter(({ kind }) => change === "read" && kind === "send").map(({ id }) => id);
  if (sent.length > 0) {
    await context.reads.onRead(owner, sent);
  }
  return items;
}

/** Changes items and announces that. If snoozed items were due, it wakes them and does the same again: it finds more, or it finds them awake. */
async function writeByClock(context: InboxContext, name: ItemChange, changing: Changing): Promise<ItemsChange> {
  const done = await write(context, changing);
  announceItems(context, name, announcedOf(done));
  if (!isDue(context, done.counts)) {
    return done;
  }
  await wakeDue(context, changing.owner);
  const again = await write(context, changing);
  announceItems(context, name, announcedOf(again));
  const found = new Set(again.items.map(({ seq }) => seq));
  // What it deleted or put off before is not found again.
  const before = done.items.filter(({ seq }) => !found.has(seq));
  return { ...again, items: [...before, ...again.items], changed: new Set([...done.changed, ...again.changed]) };
}

function write({ inbox, clock }: InboxContext, { owner, refs, change, activeOnly }: Changing): Promise<ItemsChange> {
  const at = new Date(clock.now());
  const marking: ItemMarking = typeof change === "string" ? { mark: change, at } : { mark: "snoozed", at, until: change.until };
  return inbox.mark(owner, refs, !activeOnly && FOUND_ANYWHERE.includes(marking.mark) ? { ...marking, places: ANYWHERE } : marking);
}

/** A change of a whole inbox, or of what matches a filter, as everybody is told of it. */
export type AnnouncedWhole = WholeInboxChange & { readonly change: WholeChange; readonly at: Date };

/** Tells everybody of a change of a whole inbox, unless it changed nothing. */
export function announceWhole(context: InboxContext, owner: Owner, announced: AnnouncedWhole): void {
  publishWhole(context, owner, announced);
  emitWhole(context, owner, announced);
}

/** Tells clients and other processes of a change of a whole inbox, unless it changed nothing. */
export function publishWhole({ publish }: InboxContext, owner: Owner, { change, count, counts, isChange, at }: AnnouncedWhole): void {
  if (isChange) {
    const { lastSeq, epoch, rev } = counts;
    publish([{ ...owner, change, seq: lastSeq, epoch, count, rev, lastSeq, of: 1, atMs: at.getTime() }]);
  }
}

/** Tells listeners of the service of a change of a whole inbox, unless it changed no active item. */
export function emitWhole({ events }: InboxContext, owner: Owner, { change, count }: Pick<AnnouncedWhole, "change" | "count">): void {
  if (count > 0) {
    events.emit(WHOLE_EVENTS[change], { ...owner, count });
  }
}

/** Whether an item with this ref can exist at all. Belfry does not query the database for an impossible ref. */
export function isPossible(ref: ItemRef): boolean {
  if (typeof ref !== "string") {
    if (typeof ref !== "object" || ref === null) {
      const message = `must be a notification's id, or { seq } with its number in the inbox; is ${shown(ref)}`;
      throw validationError([{ path: ["id"], type: "string_type", message }]);
    }
    requireMembers("an item's place", ref, SEQ_REF);
  }
  return typeof ref === "string" ? isUuid(ref) : Number.isSafeInteger(ref.seq) && ref.seq > 0;
}
