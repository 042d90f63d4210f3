import { BelfryError, type Issue } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import type { Owner } from "../foundation/owner.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import type { InboxContext } from "./context.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { InboxCounts, InboxItem, InboxStatus } from "./inbox-item.ts";
import type { InboxQuery } from "./inbox-storage.ts";

const DEFAULT_LIMIT = 50;

/** Which part of an inbox to list. */
export interface ListInput {
  /** @default "all" */
  readonly status?: InboxStatus;
  /** Only items of this type. */
  readonly type?: string;
  /** 1 to 1,000 items. @default 50 */
  readonly limit?: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
  /** Skips this many of the newest matching items. A cursor is more stable while new items arrive. @default 0 */
  readonly offset?: number;
}

/** One page of an inbox, newest first, with the counts of the same moment. */
export interface InboxList {
  readonly items: readonly InboxItem[];
  /** Leads to the next page; null at the end. It works for this inbox and these filters only. */
  readonly nextCursor: string | null;
  /** The number of items that match the filters. */
  readonly matching: number;
  readonly counts: InboxCounts;
}

/**
 * Lists one page of an inbox. Throws `VALIDATION_ERROR` for a value out of range and `INVALID_CURSOR` for a cursor of
 * another list.
 */
export async function listInbox(context: InboxContext, owner: Owner, input: ListInput = {}): Promise<InboxList> {
  const limit = checkList(input);
  const status = input.status ?? "all";
  using _call = await context.ready();
  const query = {
    status,
    ...(input.type === undefined ? {} : { type: input.type }),
    ...(await start(context, owner, input)),
  };
  // Reads one item more than requested, to see whether there is a next page.
  const page = await context.inbox.list(owner, { ...query, limit: limit + 1 });
  const items = page.items.slice(0, limit);
  const last = items.at(-1);
  const more = page.items.length > limit && last !== undefined;
  const scope = { owner, status, type: input.type, epoch: page.counts.epoch };
  return {
    items,
    nextCursor: more ? encodeCursor(last.seq, scope) : null,
    matching: page.matching,
    counts: page.counts,
  };
}

async function start(context: InboxContext, owner: Owner, input: ListInput): Promise<Pick<InboxQuery, "before" | "offset">> {
  if (input.cursor === undefined) {
    return { offset: input.offset ?? 0 };
  }
  const { epoch } = await context.inbox.counts(owner);
  const before = decodeCursor(input.cursor, { owner, status: input.status ?? "all", type: input.type, epoch });
  if (before === null) {
    throw new BelfryError("INVALID_CURSOR", "The cursor is not one that this list gave. Start again without a cursor.");
  }
  return { before };
}

function checkList(input: ListInput): number {
  const issues: Issue[] = [];
  const { limit = DEFAULT_LIMIT, offset = 0, status = "all" } = input;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    issues.push({ path: ["limit"], type: "range", message: `must be a whole number from 1 to 1000, is ${limit}` });
  }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    issues.push({ path: ["offset"], type: "range", message: `must be a whole number from 0, is ${offset}` });
  }
  if (input.cursor !== undefined && input.offset !== undefined && input.offset !== 0) {
    issues.push({ path: ["offset"], type: "conflict", message: "cannot be given together with a cursor" });
  }
  if (!["all", "unread", "read"].includes(status)) {
    issues.push({ path: ["status"], type: "enum", message: `must be all, unread or read, is ${status}` });
  }
  const typeIssue = input.type === undefined ? null : textIssue(input.type, ["type"], NAME_RULE);
  if (typeIssue) {
    issues.push(typeIssue);
  }
  if (issues.length > 0) {
    throw validationError(issues);
  }
  return limit;
}
