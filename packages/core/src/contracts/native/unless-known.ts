import { fingerprint } from "../../foundation/digest.ts";
import type { JsonValue } from "../../foundation/json.ts";
import { andThen, type MaybePromise } from "../../foundation/maybe-promise.ts";
import type { Reply, RouteContext } from "../../http/route.ts";
import type { InboxCounts, LagInput } from "../../inbox/index.ts";
import type { NotificationTypes } from "../../notifications/index.ts";
import { ownInbox } from "./own-inbox.ts";
import { type Reads, readsOf } from "./reads.ts";

/** What a client does with an answer that may be behind: no cache tells others that an older state is still true. */
export const UNCACHED = { "cache-control": "no-store" };

/** The browser may keep the answer, and asks each time whether it is still true. */
const REVALIDATED = "private, no-cache";

/** What an answer goes by beside the inbox. */
interface Shown {
  /** What the client accepts; undefined for no lag. */
  readonly lag: LagInput | undefined;
  /** What the answer shows of the inbox, such as the filter and the language. It goes by the query alone. */
  shown(): readonly JsonValue[];
}

/** An answer, and the counts of its moment. */
interface CountedAnswer {
  readonly json: object;
  readonly counts: InboxCounts;
}

/**
 * Answers 304 to who has the answer already. An inbox's counters, or the tenant's content token, change with every change of what it shows,
 * so they are all there is to read for it.
 *
 * An answer that may be behind has no tag: nobody is told that an older state is still true.
 */
export function unlessKnown(
  context: RouteContext<unknown, object>,
  { lag, shown }: Shown,
  read: (inbox: Reads) => Promise<CountedAnswer>,
): MaybePromise<Reply> {
  const { request, service, query } = context;
  const inbox = ownInbox(context);
  if (lag !== undefined) {
    return read(readsOf(inbox, lag)).then(({ json }) => ({ status: 200, headers: UNCACHED, json }));
  }
  // Before the answer: if the content token is the same later, it was the same while the answer was read.
  return andThen(inbox.readVersion(), ({ counts, contentToken }) => {
    const about = `${contentToken ?? ""}.${markOf(query, service.types, shown)}`;
    const etag = tagOf(counts, about);
    if (isKnown(request.headers["if-none-match"], etag)) {
      return { status: 304, headers: { etag, "cache-control": REVALIDATED } };
    }
    return read(readsOf(inbox, lag)).then((answer) => ({
      status: 200,
      headers: { etag: tagOf(answer.counts, about), "cache-control": REVALIDATED },
      json: answer.json,
    }));
  });
}

function tagOf({ epoch, lastSeq, rev }: InboxCounts, about: string): string {
  return `"${epoch}.${lastSeq}.${rev}.${about}"`;
}

/** Whether the client has the answer with this tag. Most name one tag, as they got it. */
function isKnown(named: string | undefined, etag: string): boolean {
  return named !== undefined && (named === etag || named.split(",").some((one) => one.trim().replace(/^W\//, "") === etag));
}

interface Mark {
  readonly types: NotificationTypes;
  readonly text: string;
}

/** Of each query that was asked: those that are remembered come again and again. */
const marks = new WeakMap<object, Mark>();

/** Tells the answers to a query from those to others, also by a service with other types, whose categories may be others. */
function markOf(query: object, types: NotificationTypes, shown: () => readonly JsonValue[]): string {
  const known = marks.get(query);
  if (known?.types === types) {
    return known.text;
  }
  // An item that has no category of its own is of its type's.
  const categories = Object.entries(types).map(([type, { category = null }]) => [type, category]);
  const text = fingerprint([...shown(), categories]);
  marks.set(query, { types, text });
  return text;
}
