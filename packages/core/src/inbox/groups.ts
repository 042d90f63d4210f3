import { type Owner, onceReady } from "../foundation/context.ts";
import { type ChecksOf, requireInput, requireNone, validationError } from "../foundation/issue-list.ts";
import { andThen, type MaybePromise } from "../foundation/maybe-promise.ts";
import { GROUP_RULE, oneOf, stringIssue, textIssue, whole } from "../foundation/parse-text.ts";
import { timeIssue } from "../foundation/parse-time.ts";
import { readUpToDate } from "./apply-due.ts";
import { changeGroup } from "./change-group.ts";
import type { Changing } from "./change-items.ts";
import { ALWAYS, type Once } from "./change-once.ts";
import type { InboxContext } from "./context.ts";
import { decodeCursor, encodeCursor, foreignCursor, positionIn } from "./cursor.ts";
import type { GroupListQuery, GroupSummary, GroupsPage } from "./groups-storage.ts";
import type { InboxCounts, InboxItem, ItemMark } from "./inbox-item.ts";
import type { InboxReads } from "./replica-storage.ts";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** Which groups of an inbox to list. */
export interface GroupsInput {
  /** `unread` are those with an unread item. @default "all" */
  readonly status?: GroupListQuery["status"];
  /** 1 to 100 groups. @default 20 */
  readonly limit?: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** One page of an inbox's groups, the one with the newest item first, with the counts of the same moment. */
export interface GroupList<Item extends InboxItem = InboxItem> {
  readonly groups: readonly GroupSummary<Item>[];
  /** Leads to the next page; null at the end. It works for this inbox and this status only. */
  readonly nextCursor: string | null;
  /** The counts of the whole inbox. They count items, not groups. */
  readonly counts: InboxCounts;
}

/** Which items of a group to change. */
export interface GroupRange {
  /** The number of the newest item that changes, such as the newest one that the user was shown. @default the newest of this moment */
  readonly upTo?: number;
}

const LIST_INPUT: ChecksOf<GroupsInput> = {
  status: oneOf(["all", "unread"]),
  limit: whole({ min: 1, max: MAX_LIMIT }),
  cursor: stringIssue,
};
const RANGE: ChecksOf<GroupRange> = { upTo: whole({ min: 1 }) };

/** A page of groups as it is asked of the storage. */
interface AskedGroups {
  /** Reads the page. */
  read(inbox: InboxReads): MaybePromise<GroupsPage>;
  /** Whether the page is of the list that the cursor belongs to. */
  isAnswer(page: GroupsPage): boolean;
  /** The list that the page makes. @throws BelfryError `INVALID_CURSOR` for a cursor of another list */
  listOf(page: GroupsPage): GroupList;
}

/** Lists one page of an inbox's groups. */
export function listGroups(context: InboxContext, owner: Owner, input?: GroupsInput): MaybePromise<GroupList> {
  const { read, listOf } = readingGroups(owner, input);
  const reading = { read: () => read(context.inbox), countsOf: ({ counts }: GroupsPage) => counts };
  return andThen(
    onceReady(context, () => readUpToDate(context, owner, reading)),
    listOf,
  );
}

/** Checks which page of groups is asked for. @throws BelfryError `VALIDATION_ERROR`; `INVALID_CURSOR` for a cursor that no list gave */
export function readingGroups(owner: Owner, input: GroupsInput = {}): AskedGroups {
  requireInput("groups", input, LIST_INPUT);
  const { status = "all", limit = DEFAULT_LIMIT, cursor } = input;
  const before = cursor === undefined ? undefined : positionIn(cursor);
  if (before === null) {
    throw foreignCursor();
  }
  const query = { status, limit: limit + 1, ...(before === undefined ? {} : { before }) };
  const scopeOf = ({ counts }: GroupsPage) => ({ owner, status, type: undefined, isOfGroups: true, epoch: counts.epoch });
  const isAnswer = (page: GroupsPage) => cursor === undefined || decodeCursor(cursor, scopeOf(page)) !== null;
  const listOf = (page: GroupsPage): GroupList => {
    if (!isAnswer(page)) {
      throw foreignCursor();
    }
    const { groups, counts } = page;
    const shown = groups.slice(0, limit);
    const last = groups.length > limit ? shown.at(-1) : undefined;
    return { groups: shown, nextCursor: last === undefined ? null : encodeCursor(last.newest.seq, scopeOf(page)), counts };
  };
  return { read: (inbox) => inbox.groups(owner, query), isAnswer, listOf };
}

/**
 * The items of one group in an inbox, to be changed together. Items that come meanwhile stay as they are. A change of more
 * than 1,000 items is made in steps.
 *
 * @example
 * ```ts
 * await notifications.inbox("ann").group("post:7").mark("read", { upTo: 12 });
 * ```
 */
export class InboxGroup {
  readonly owner: Owner;
  readonly name: string;
  readonly #context: InboxContext;
  readonly #once: Once;

  /** Hosts do not call this. They call `inbox.group(name)`. */
  constructor({ owner, name }: Pick<InboxGroup, "owner" | "name">, context: InboxContext, once: Once = ALWAYS) {
    requireNone([textIssue(name, ["group"], GROUP_RULE)]);
    this.owner = owner;
    this.name = name;
    this.#context = context;
    this.#once = once;
  }

  /**
   * Gives the group's items a mark, and returns how many were found. `unarchived` finds archived items, `woken` snoozed ones, `read`
   * active ones that are not read by themselves, every other mark active ones.
   *
   * @throws BelfryError `VALIDATION_ERROR` for another mark, or an `upTo` that is no number of an item
   */
  async mark(mark: ItemMark | "read" | "unread", range?: GroupRange): Promise<number> {
    requireNone([isMark(mark, "mark")]);
    return await this.#change([mark], () => mark, range);
  }

  /**
   * Puts the group's active items off until a time, and returns their number. A group without active items whose items are snoozed is
   * snoozed itself: its next new item wakes them all, before their time.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a time that is none, or is not to come
   */
  async snooze(until: Date | string, range?: GroupRange): Promise<number> {
    const time = timeOf(until);
    return await this.#change(["snoozed", until], () => ({ until: futureTime(this.#context, time) }), range);
  }

  /** Deletes the group's active items, and returns their number. @throws BelfryError `VALIDATION_ERROR` */
  async remove(range?: GroupRange): Promise<number> {
    return await this.#change(["deleted"], () => "deleted", range);
  }

  async #change(said: readonly unknown[], changeOf: () => Changing["change"], range: GroupRange = {}): Promise<number> {
    requireInput("the range of a group", range, RANGE);
    const { owner, name: group } = this;
    const { upTo } = range;
    return await this.#once([group, range, ...said], (key) => changeGroup(this.#context, { owner, group, change: changeOf(), upTo, key }));
  }
}

const MARKS: Readonly<Record<ItemMark | "read" | "unread", true>> = {
  ...{ read: true, unread: true, seen: true, unseen: true },
  ...{ pinned: true, unpinned: true, archived: true, unarchived: true, woken: true },
};

/** Checks a mark that a caller passed. */
export const isMark = oneOf(Object.keys(MARKS));

/** A caller's time as it is now. What becomes of the date later does not matter. */
export function timeOf(given: Date | string): Date | string {
  return given instanceof Date ? new Date(given) : given;
}

/** The time until which items are put off. @throws BelfryError `VALIDATION_ERROR` for a time that is none, or is not to come */
export function futureTime({ clock }: Pick<InboxContext, "clock">, until: Date | string): Date {
  requireNone([timeIssue(until, "until")]);
  const time = new Date(until);
  if (time.getTime() <= clock.now()) {
    throw validationError([{ path: ["until"], type: "datetime", message: `must be a time to come, is ${time.toISOString()}` }]);
  }
  return time;
}
