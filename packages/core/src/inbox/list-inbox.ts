import { type Owner, onceReady } from "../foundation/context.ts";
import type { Issue } from "../foundation/errors.ts";
import { type ChecksOf, pageChecks, requireInput, requireNone } from "../foundation/issue-list.ts";
import { andThen, type MaybePromise } from "../foundation/maybe-promise.ts";
import { type Check, isPlain, NAME_RULE, oneOf, stringIssue, text } from "../foundation/parse-text.ts";
import { localeIssue, type NotificationTypes } from "../notifications/index.ts";
import { readUpToDate } from "./apply-due.ts";
import type { InboxContext } from "./context.ts";
import { type CursorScope, decodeCursor, encodeCursor, foreignCursor, positionIn } from "./cursor.ts";
import type { InboxCounts, InboxItem, InboxStatus } from "./inbox-item.ts";
import type { InboxPage, InboxQuery } from "./inbox-storage.ts";
import { FILTER_CHECKS, type InboxFilter, itemFilter, placeOf } from "./item-filter.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;
const STATUSES: readonly InboxStatus[] = ["all", "unread", "read"];
/** The checks of the input of `listStored`. */
export const STORED_LIST_INPUT: ChecksOf<StoredListInput> = {
  ...pageChecks(MAX_LIMIT),
  ...FILTER_CHECKS,
  status: oneOf(STATUSES),
  type: text(NAME_RULE),
  roomId: text(NAME_RULE),
  cursor: stringIssue,
};
/** The checks of the input of `list`. */
export const LIST_INPUT: ChecksOf<ListInput> = { ...STORED_LIST_INPUT, locale: localeIssue };

/** Which part of an inbox to list. */
export interface ListInput extends InboxFilter {
  /** Not together with `read`. @default "all" */
  readonly status?: InboxStatus;
  /** Only items of this type. Not together with `types`. */
  readonly type?: string;
  /** Only items of this room: those whose data has it as `room_id`, as a send with a `roomId` has. */
  readonly roomId?: string;
  /** 1 to 1,000 items. @default 50 */
  readonly limit?: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
  /** Skips this many of the newest matching items. A cursor is more stable while new items arrive. @default 0 */
  readonly offset?: number;
  /** The language to render the texts in that functions of declared types make, as a BCP 47 tag. @default the texts as they are stored */
  readonly locale?: string;
}

/** Which part of an inbox to list as it is stored. */
export type StoredListInput = Omit<ListInput, "locale">;

/** One page of an inbox, newest first, with the counts of the same moment. */
export interface InboxList<Item = InboxItem> {
  readonly items: readonly Item[];
  /**
   * Leads to the next page; null at the end. It works for this inbox and these filters only. With filters, a page of a large inbox may
   * be shorter than its limit, and even empty, before the end: each looks at some 20,000 items.
   */
  readonly nextCursor: string | null;
  /** The number of items that match the filters. */
  readonly matching: number;
  /**
   * With `types`, `categories`, `priority`, `seen`, `pinned` or `group`: whether there are more than 20,000 items where the list looks. Then
   * `matching` counts those among the newest of them.
   */
  readonly more?: boolean;
  readonly counts: InboxCounts;
}

/** What to list, and how. */
export interface Listing<Item> {
  readonly owner: Owner;
  readonly input: ListInput | undefined;
  readonly checks: Readonly<Partial<Record<keyof ListInput, Check>>>;
  /** The storage's operation that reads a page. */
  readonly read: (owner: Owner, query: InboxQuery) => MaybePromise<InboxPage<Item>>;
}

/** A list as it is asked of the storage. */
interface AskedList<Item> {
  /** The input as a text: two lists of one inbox with the same text are the same list. */
  readonly text: string;
  /** Reads the page. */
  read(): MaybePromise<InboxPage<Item>>;
  /** Whether the page is of the list that the cursor belongs to. */
  isAnswer(page: InboxPage<Item>): boolean;
  /** The list that the page makes. @throws BelfryError `INVALID_CURSOR` for a cursor of another list */
  listOf(page: InboxPage<Item>): InboxList<Item>;
}

/**
 * Lists one page of an inbox. Throws `VALIDATION_ERROR` for a value out of range and `INVALID_CURSOR` for a cursor of
 * another list.
 */
export function listInbox<Item extends Pick<InboxItem, "seq">>(
  context: InboxContext,
  listing: Listing<Item>,
): MaybePromise<InboxList<Item>> {
  return readList(context, listing.owner, askedList(context.types, listing));
}

/** Reads a list that was checked. */
export function readList<Item>(context: InboxContext, owner: Owner, { read, listOf }: AskedList<Item>): MaybePromise<InboxList<Item>> {
  const countsOf = ({ counts }: InboxPage<Item>) => counts;
  return andThen(
    onceReady(context, () => readUpToDate(context, owner, { read, countsOf })),
    listOf,
  );
}

/** Checks what is asked for. Throws as {@link listInbox} does. What the storage is asked is made only if it is asked. */
export function askedList<Item extends Pick<InboxItem, "seq">>(
  types: NotificationTypes,
  { owner, input: given = ALL, checks, read }: Listing<Item>,
): AskedList<Item> {
  const { input, text } = checkedInput(given, checks);
  return {
    text,
    read: () => read(owner, queryOf(types, input)),
    isAnswer: (page) => isAnswer(page, listedOf(owner, input)),
    listOf: (page) => listOf(page, listedOf(owner, input)),
  };
}

/** The input of a list without one. */
const ALL: ListInput = Object.freeze({});

/** An input that was checked. */
interface CheckedInput {
  readonly checks: Listing<never>["checks"];
  /** A copy with its lists, so that the caller cannot change it any more. */
  readonly input: ListInput;
  /** The input as JSON. */
  readonly text: string;
}

/** Inputs that nobody can change, such as those that contracts have of remembered queries. They are checked once. */
const unchangeable = new WeakMap<ListInput, CheckedInput>();

function checkedInput(given: ListInput, checks: Listing<never>["checks"]): CheckedInput {
  const known = unchangeable.get(given);
  if (known?.checks === checks) {
    return known;
  }
  requireInput("list", given, checks);
  const input = copyOf(given, checks);
  requireNone([
    input.cursor !== undefined && (input.offset ?? 0) !== 0 ? conflict("offset", "a cursor") : null,
    input.type !== undefined && input.types !== undefined ? conflict("types", "type") : null,
    input.status !== undefined && input.read !== undefined ? conflict("read", "status") : null,
  ]);
  placeOf(input);
  if (input.cursor !== undefined && positionIn(input.cursor) === null) {
    throw foreignCursor();
  }
  const checked = { checks, input, text: JSON.stringify(input) };
  if (isUnchangeable(given)) {
    unchangeable.set(given, checked);
  }
  return checked;
}

/** Whether nobody can change it: it is frozen, and has neither lists, nor getters, nor members by a class, which may give something else later. */
function isUnchangeable(given: ListInput): boolean {
  const isOfItself = ({ value }: PropertyDescriptor) => value !== undefined && typeof value !== "object";
  return Object.isFrozen(given) && isPlain(given) && Object.values(Object.getOwnPropertyDescriptors(given)).every(isOfItself);
}

/** What was checked, with lists of its own, also what an object has by its class: the page is read later, and by nothing else. */
function copyOf(given: ListInput, checks: Listing<never>["checks"]): ListInput {
  const copy: Record<string, ListInput[keyof ListInput]> = {};
  for (const name in checks) {
    const value = given[name as keyof ListInput];
    if (value !== undefined) {
      copy[name] = Array.isArray(value) ? [...value] : value;
    }
  }
  return copy;
}

/** What the storage is asked. */
function queryOf(types: NotificationTypes, input: ListInput): InboxQuery {
  const { type, roomId, limit = DEFAULT_LIMIT, cursor, offset = 0, group } = input;
  const place = placeOf(input);
  const more = moreOf(input);
  const conditions = more === undefined ? null : itemFilter(types, more);
  const filter = group === undefined ? conditions : { ...conditions, group };
  const before = cursor === undefined ? null : positionIn(cursor);
  return {
    status: statusOf(input),
    ...(type === undefined ? {} : { type }),
    ...(roomId === undefined ? {} : { roomId }),
    ...(place === "active" ? {} : { place }),
    ...(filter === null ? {} : { filter }),
    ...(before === null ? { offset } : { before }),
    // One item more than requested, to see whether there is a next page.
    limit: limit + 1,
    looksAhead: true,
  };
}

function listedOf(owner: Owner, input: ListInput): Listed {
  const { type, roomId, limit = DEFAULT_LIMIT, cursor, group } = input;
  return { owner, status: statusOf(input), type, roomId, place: placeOf(input), filter: moreOf(input), group, limit, cursor };
}

function conflict(name: string, other: string): Issue {
  return { path: [name], type: "conflict", message: `cannot be given together with ${other}` };
}

function statusOf({ status = "all", read }: ListInput): InboxStatus {
  const ofRead = read === true ? "read" : "unread";
  return read === undefined ? status : ofRead;
}

/** The conditions of a list beside its status, place, type, room and group, as they were given; undefined for none. */
function moreOf({ types, categories, priority, seen, pinned }: ListInput): InboxFilter | undefined {
  if ((types ?? categories ?? priority ?? seen ?? pinned) === undefined) {
    return undefined;
  }
  return Object.fromEntries(Object.entries({ types, categories, priority, seen, pinned }).filter(([, value]) => value !== undefined));
}

interface Listed extends Omit<CursorScope, "epoch"> {
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** Whether a page is of the list that the cursor belongs to. */
function isAnswer({ counts: { epoch } }: Pick<InboxPage, "counts">, listed: Listed): boolean {
  const { cursor } = listed;
  // The page brings the epoch that the cursor is checked against: a query for the epoch alone would cost a third of the page.
  return cursor === undefined || decodeCursor(cursor, { ...listed, epoch }) !== null;
}

/** The list that a page makes, which may have one item more than requested. */
function listOf<Item extends Pick<InboxItem, "seq">>(page: InboxPage<Item>, listed: Listed): InboxList<Item> {
  const { items, rest, matching, more, counts } = page;
  const { owner, status, type, roomId, place, filter, group, limit } = listed;
  if (!isAnswer(page, listed)) {
    throw foreignCursor();
  }
  const shown = items.length <= limit ? items : items.slice(0, limit);
  const next = shown === items ? rest : shown.at(-1)?.seq;
  const scope = { owner, status, type, roomId, place, filter, group, epoch: counts.epoch };
  const list = { items: shown, nextCursor: next === undefined ? null : encodeCursor(next, scope), matching, counts };
  return more === undefined ? list : { ...list, more };
}

/** Returns up to `limit` items of all the tenant's inboxes, newest notification first. */
export async function listTenant(context: InboxContext, tenant: string, limit: number): Promise<readonly InboxItem[]> {
  requireNone([LIST_INPUT.limit(limit, "limit")]);
  using _call = await context.ready();
  const now = context.clock.now();
  const items = await context.inbox.listTenant(tenant, limit);
  // The clock is not applied to each of these inboxes first.
  return items.filter(({ expiresAt }) => expiresAt === null || expiresAt.getTime() > now);
}
