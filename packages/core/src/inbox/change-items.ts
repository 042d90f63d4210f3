import type { Owner } from "../foundation/context.ts";
import { requireList } from "../foundation/issue-list.ts";
import { applyDue } from "./apply-due.ts";
import { announcedOf, announceItems, type InboxContext } from "./context.ts";
import { ANYWHERE, isPossible } from "./find-item.ts";
import type { InboxItem, ItemChange, ItemRef, ItemsChange } from "./inbox-item.ts";
import type { ItemMarking } from "./inbox-storage.ts";

/** A change of some items of an inbox. */
export interface Changing {
  readonly owner: Owner;
  readonly refs: readonly ItemRef[];
  /** What happens to them; a snoozed item also has its time. */
  readonly change: Exclude<ItemChange, "snoozed" | "updated"> | { readonly until: Date };
  /** Whether it finds active items alone where it could find others, too. */
  readonly activeOnly: boolean;
}

/** The changes that leave an item where it is, or delete it from there: they find it anywhere. */
const FOUND_ANYWHERE: readonly string[] = ["read", "unread", "seen", "unseen", "pinned", "unpinned", "deleted"] satisfies ItemChange[];

/** Changes items, tells everybody of those that changed, and returns those that were found. */
export async function changeItems(context: InboxContext, changing: Changing): Promise<readonly InboxItem[]> {
  const { owner, refs, change } = changing;
  requireList(refs, "ids");
  using _call = await context.ready();
  const name = typeof change === "string" ? change : "snoozed";
  const { items, changed } = await writeUpToDate(context, name, { ...changing, refs: refs.filter(isPossible) });
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

/** Changes items and announces that. If something is due in the inbox, it does that first. */
async function writeUpToDate(context: InboxContext, name: ItemChange, changing: Changing): Promise<ItemsChange> {
  let done = await write(context, changing, true);
  if (done.isDue) {
    await applyDue(context, changing.owner);
    done = await write(context, changing, false);
  }
  announceItems(context, name, announcedOf(done));
  return done;
}

function write({ inbox, clock }: InboxContext, { owner, refs, change, activeOnly }: Changing, unlessDue: boolean): Promise<ItemsChange> {
  const when = { at: new Date(clock.now()), unlessDue };
  const marking: ItemMarking = typeof change === "string" ? { mark: change, ...when } : { mark: "snoozed", until: change.until, ...when };
  return inbox.mark(owner, refs, !activeOnly && FOUND_ANYWHERE.includes(marking.mark) ? { ...marking, places: ANYWHERE } : marking);
}
