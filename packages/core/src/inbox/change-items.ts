import type { Owner } from "../foundation/context.ts";
import { requireList } from "../foundation/issue-list.ts";
import { applyDue } from "./apply-due.ts";
import { announcedOf, announceItems, type InboxContext } from "./context.ts";
import { ANYWHERE, isPossible } from "./find-item.ts";
import { EMPTY_EPOCH, type InboxItem, type ItemChange, type ItemRef, type ItemsChange } from "./inbox-item.ts";
import type { ItemMarking } from "./inbox-storage.ts";
import type { ChangeKey } from "./logged-change.ts";

/** A change of some items of an inbox. */
export interface Changing {
  readonly owner: Owner;
  readonly refs: readonly ItemRef[];
  /** What happens to them; a snoozed item also has its time. */
  readonly change: Exclude<ItemChange, "snoozed" | "updated"> | { readonly until: Date };
  /** Whether it finds active items alone where it could find others, too. */
  readonly activeOnly: boolean;
  /** The key that it is made once for. @default none */
  readonly key?: ChangeKey | undefined;
}

/** The changes that leave an item where it is, or delete it from there: they find it anywhere. */
const FOUND_ANYWHERE: readonly string[] = ["read", "unread", "seen", "unseen", "pinned", "unpinned", "deleted"] satisfies ItemChange[];

/** Changes items, tells everybody of those that changed, and returns those that were found. */
export async function changeItems(context: InboxContext, changing: Changing): Promise<readonly InboxItem[]> {
  const { owner, change } = changing;
  const refs = possibleRefs(changing.refs);
  using _call = await context.ready();
  const name = nameOf(change);
  const { items, changed } = await writeUpToDate(context, name, { ...changing, refs });
  if (name === "snoozed" && changed.size > 0) {
    context.dueItems();
  }
  await tellReads(context, owner, { change, items });
  return items;
}

/**
 * The refs of a caller's list with which an item can exist. What becomes of the list later does not matter.
 *
 * @throws BelfryError `VALIDATION_ERROR`
 */
export function possibleRefs(refs: readonly ItemRef[]): readonly ItemRef[] {
  requireList(refs, "ids");
  return refs.filter(isPossible).map((ref) => (typeof ref === "string" ? ref : { seq: ref.seq }));
}

/** The kind of a change. */
export function nameOf(change: Changing["change"]): Exclude<ItemChange, "updated"> {
  return typeof change === "string" ? change : "snoozed";
}

/** Tells the deliveries of items that were read. */
export async function tellReads(
  context: InboxContext,
  owner: Owner,
  { change, items }: Pick<Changing, "change"> & { readonly items: readonly InboxItem[] },
): Promise<void> {
  // A notification of `create` has no deliveries to look up.
  const sent = items.filter(({ kind }) => change === "read" && kind === "send").map(({ id }) => id);
  if (sent.length > 0) {
    await context.reads.onRead(owner, sent);
  }
}

/** Changes items and announces that. If something is due in the inbox, it does that first. */
async function writeUpToDate(context: InboxContext, name: ItemChange, changing: Changing): Promise<ItemsChange> {
  let done = await write(context, changing, true);
  // An inbox begins with its first operation.
  if (done.isDue || done.counts.epoch === EMPTY_EPOCH) {
    await applyDue(context, changing.owner);
    done = await write(context, changing, false);
  }
  announceItems(context, name, announcedOf(done));
  return done;
}

function write(
  { inbox, clock }: InboxContext,
  { owner, refs, change, activeOnly, key }: Changing,
  unlessDue: boolean,
): Promise<ItemsChange> {
  const marking = { ...markingOf(change, new Date(clock.now())), unlessDue, key };
  return inbox.mark(owner, refs, !activeOnly && FOUND_ANYWHERE.includes(marking.mark) ? { ...marking, places: ANYWHERE } : marking);
}

/** A change as storages take it. */
export function markingOf(change: Changing["change"], at: Date): ItemMarking {
  return typeof change === "string" ? { mark: change, at } : { mark: "snoozed", at, until: change.until };
}
