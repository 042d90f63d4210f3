import type { Owner } from "../foundation/context.ts";
import { andThen, isThenable, type MaybePromise } from "../foundation/maybe-promise.ts";
import { announcedOf, announceItems, type InboxContext } from "./context.ts";
import { EMPTY_EPOCH, type InboxCounts } from "./inbox-item.ts";

/**
 * Something that an inbox has to be brought up to before it answers. Every operation of an inbox but `create`, and every live feed
 * of one, asks all {@link PARTS} whether they are due, by the counts that it reads anyway, and lets those that are apply first.
 */
interface DuePart {
  /** Whether there is something to do, by the counts of the inbox. */
  isDue(context: Pick<InboxContext, "clock">, counts: InboxCounts): boolean;
  /** Does it, and tells everybody. It waits for no other transaction: false if one holds the inbox, and something is left to do. */
  apply(context: InboxContext, owner: Owner): Promise<boolean>;
}

/** The clock: the items of notifications that have expired go, and snoozed ones whose time has come wake. */
const BY_CLOCK: DuePart = {
  isDue: ({ clock }, { dueAt }) => dueAt !== undefined && dueAt.getTime() <= clock.now(),
  async apply(context, owner) {
    const { inbox, clock } = context;
    for (;;) {
      const change = await inbox.applyDue(owner, new Date(clock.now()));
      if (change === null) {
        return false;
      }
      const { expired, woken, counts } = change;
      announceItems(context, "deleted", announcedOf(expired));
      announceItems(context, "woken", announcedOf(woken));
      if (expired.changed.size + woken.changed.size === 0 || !BY_CLOCK.isDue(context, counts)) {
        return true;
      }
    }
  },
};

/** Broadcasts: an inbox begins with its first operation, and gets those that it lacks. */
const BROADCASTS: DuePart = {
  isDue: (_, { isBehind = false, epoch }) => isBehind || epoch === EMPTY_EPOCH,
  apply: (context, owner) => context.placeMissed(owner),
};

/** All parts, in the order in which they apply. */
const PARTS: readonly DuePart[] = [BROADCASTS, BY_CLOCK];

/** Whether something has to be done in an inbox before it answers, by its counts. */
export function isDue(context: Pick<InboxContext, "clock">, counts: InboxCounts): boolean {
  // Every read asks: a function for each would cost more than the answers.
  for (const part of PARTS) {
    if (part.isDue(context, counts)) {
      return true;
    }
  }
  return false;
}

/**
 * Does what is due in an inbox, by its counts if they are known, and tells everybody. False if something was left, because another
 * transaction holds the inbox.
 */
export async function applyDue(context: InboxContext, owner: Owner, counts?: InboxCounts): Promise<boolean> {
  return !(await applyParts(context, owner, counts)).includes(false);
}

/** Does the parts that are due, and tells of each whether it is done. */
async function applyParts(context: InboxContext, owner: Owner, counts?: InboxCounts): Promise<readonly boolean[]> {
  const done: boolean[] = [];
  for (const part of PARTS.filter((one) => counts === undefined || one.isDue(context, counts))) {
    done.push(await part.apply(context, owner));
  }
  return done;
}

/** A read of an inbox, and the counts that came with it. */
export interface CountedRead<Read> {
  read(context: InboxContext, owner: Owner): MaybePromise<Read>;
  countsOf(found: Read): InboxCounts;
}

/**
 * Reads an inbox as it has to be by now: if something is due, it does that and reads again. Where it cannot write, or another
 * transaction holds the inbox, the answer is as it was.
 */
export function readUpToDate<Read>(context: InboxContext, owner: Owner, { read, countsOf }: CountedRead<Read>): MaybePromise<Read> {
  const found = read(context, owner);
  if (!isThenable(found) && !isDue(context, countsOf(found))) {
    // Most answers are that: they make no function.
    return found;
  }
  return andThen(found, (one) => {
    const counts = countsOf(one);
    return isDue(context, counts) ? applyOrWarn(context, owner, counts).then((isDone) => (isDone ? read(context, owner) : one)) : one;
  });
}

const COUNTS: CountedRead<InboxCounts> = { read: ({ inbox }, owner) => inbox.counts(owner), countsOf: (counts) => counts };

/** Reads the counts of an inbox as they have to be by now. */
export function countsUpToDate(context: InboxContext, owner: Owner): MaybePromise<InboxCounts> {
  return readUpToDate(context, owner, COUNTS);
}

/** Reads the number of unread items alone, as it has to be by now. */
export function unreadUpToDate(context: InboxContext, owner: Owner): MaybePromise<number> {
  return andThen(context.inbox.unread(owner, new Date(context.clock.now())), (unread) => {
    return unread ?? andThen(countsUpToDate(context, owner), (counts) => counts.unread);
  });
}

/** Does what is due before an operation whose own statement brings no counts. Returns whether anything was. */
export async function bringUpToDate(context: InboxContext, owner: Owner): Promise<boolean> {
  const counts = await context.inbox.counts(owner);
  return isDue(context, counts) && (await applyOrWarn(context, owner, counts));
}

/** Does what is due, by the counts if they are known, before what has an answer in any case. Returns whether anything was done. */
export async function applyOrWarn(context: InboxContext, owner: Owner, counts?: InboxCounts): Promise<boolean> {
  try {
    return (await applyParts(context, owner, counts)).includes(true);
  } catch (err) {
    const { tenant, userId } = owner;
    context.lines.warn({ err, tenant, userId }, "What is due in an inbox could not be done before a read. It is done later.");
    return false;
  }
}
