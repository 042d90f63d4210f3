import type { Owner } from "../foundation/context.ts";
import { nextTurn } from "../work/timing.ts";
import { bringUpToDate } from "./apply-due.ts";
import { type Changing, changeItems, markingOf, nameOf, tellReads } from "./change-items.ts";
import { publishWhole } from "./change-whole.ts";
import { announcedOf, emitItems, type InboxContext } from "./context.ts";
import type { GroupItemsQuery, GroupPlaces } from "./groups-storage.ts";
import type { ItemChange, MatchingKind } from "./inbox-item.ts";
import { SteppedChange, type Steps } from "./stepped-change.ts";

/** How many items of a group one transaction changes at most. */
const ITEMS_AT_ONCE = 1_000;

/** A change of a group's items, up to a number. */
export interface GroupChanging extends Pick<Changing, "owner" | "change" | "key"> {
  readonly group: string;
  /** @default the newest of this moment */
  readonly upTo?: number | undefined;
}

/** The changes that clients are told of as changes of all items that match, if they have very many. */
const MATCHING: Readonly<Partial<Record<ItemChange, MatchingKind>>> = {
  read: "read_matching",
  seen: "seen_matching",
  archived: "archived_matching",
};

/** Where the items are that a change of a group finds. */
function placeOf(change: Changing["change"]): GroupPlaces {
  const places: Partial<Record<string, GroupPlaces>> = { read: "unread", unarchived: "archived", woken: "snoozed" };
  return typeof change === "string" ? (places[change] ?? "active") : "active";
}

/** Changes the items of a group, and returns how many it found: in one transaction up to 1,000, else in steps that are one change. */
export async function changeGroup(context: InboxContext, { owner, group, change, upTo, key }: GroupChanging): Promise<number> {
  using _call = await context.ready();
  await bringUpToDate(context, owner);
  const query = { group, place: placeOf(change), ...(upTo === undefined ? {} : { upTo }) };
  const seqs = await context.inbox.groupItems(owner, { ...query, limit: ITEMS_AT_ONCE + 1 });
  if (seqs.length > ITEMS_AT_ONCE) {
    return await changeInSteps(context, { owner, change, key, query });
  }
  const refs = seqs.map((seq) => ({ seq }));
  return refs.length === 0 ? 0 : (await changeItems(context, { owner, refs, change, activeOnly: true, key })).length;
}

async function changeInSteps(
  context: InboxContext,
  { owner, change, key, query }: Pick<GroupChanging, "owner" | "change" | "key"> & { readonly query: Omit<GroupItemsQuery, "limit"> },
): Promise<number> {
  const { inbox, clock } = context;
  const name = nameOf(change);
  const at = new Date(clock.now());
  const steps = new SteppedChange((done) => publishSteps(context, owner, { ...done, name, at }));
  let [count, after, upTo] = [0, 0, query.upTo ?? Number.MAX_SAFE_INTEGER];
  try {
    for (let isMore = true; isMore; await nextTurn()) {
      const found = await inbox.groupItems(owner, { ...query, after, upTo, limit: ITEMS_AT_ONCE + 1 });
      const seqs = found.slice(0, ITEMS_AT_ONCE);
      isMore = found.length > ITEMS_AT_ONCE;
      const step = steps.next(clock.now());
      const { openUntil: _, ...last } = step;
      const refs = seqs.map((seq) => ({ seq }));
      const marked = isMore ? step : { ...last, key: key && { ...key, countBefore: count } };
      const done = await inbox.mark(owner, refs, { ...markingOf(change, at), ...marked });
      steps.add({ count: done.changed.size, changed: done.changed.size, counts: done.counts });
      emitItems(context, name, announcedOf(done));
      await tellReads(context, owner, { change, items: done.items });
      count += done.items.length;
      // What comes in meanwhile is left as it is.
      upTo = Math.min(upTo, done.counts.lastSeq);
      after = seqs.at(-1) ?? after;
    }
  } finally {
    steps.end();
    if (name === "snoozed") {
      context.dueItems();
    }
  }
  return count;
}

/** Tells clients of steps. Those of a change without a kind for many items read from the log what it changed. */
function publishSteps(
  context: InboxContext,
  owner: Owner,
  { name, at, ...steps }: Steps & { readonly name: ItemChange; readonly at: Date },
): void {
  const matching = MATCHING[name];
  if (matching !== undefined) {
    publishWhole(context, owner, { ...steps, isChange: true, change: matching, at });
    return;
  }
  const { lastSeq, epoch, rev, total, unread, unseen } = steps.counts;
  const place = { ...owner, change: name, seq: lastSeq, epoch, rev, lastSeq, of: steps.changed, revs: steps.revs };
  context.publish([{ ...place, counts: { total, unread, unseen } }]);
}
