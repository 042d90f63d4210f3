import { z } from "zod";
import { given } from "../../http/route.ts";
import type {
  CountsInput,
  FilteredCounts,
  GroupList,
  GroupsInput,
  Inbox,
  InboxCounts,
  InboxItem,
  InboxList,
  LagInput,
  ListInput,
  LocaleInput,
} from "../../inbox/index.ts";
import { POSITION, positionOf } from "./position.ts";

const MAY_LAG = `^(?:any|${POSITION})$`;

/** The parameter by which a client accepts an answer that may be behind. */
export const mayLag = z
  .string()
  .regex(new RegExp(MAY_LAG))
  .transform((text): LagInput => (text === "any" ? {} : given({ since: positionOf(text) })))
  .optional()
  .meta({
    description: "Accepts an answer that may be some seconds old: `any`, or one not older than this position, `epoch:seq:rev`",
    override: { type: "string", pattern: MAY_LAG, example: "any" },
  });

/** How far an answer may be behind, in the answer. */
export const lagMs = z
  .int()
  .min(0)
  .optional()
  .meta({ description: "With `mayLag`: how far the answer may be behind, in milliseconds; 0 if it is of now" });

/** An answer that has a lag if the client accepts one. */
type MaybeLagging<Answer> = Answer & { readonly lagMs?: number };

/** The reads of the caller's inbox, behind as far as the caller accepts. */
export interface Reads {
  list(input: ListInput): Promise<MaybeLagging<InboxList>>;
  /** The items above a list with these counts: not older than the list. */
  top(input: LocaleInput, counts: InboxCounts): Promise<MaybeLagging<{ readonly items: readonly InboxItem[] }>>;
  counts(input: CountsInput): Promise<MaybeLagging<FilteredCounts>>;
  groups(input: GroupsInput): Promise<MaybeLagging<GroupList>>;
}

/** The reads of the caller's inbox. @param lag what the caller accepts; undefined for no lag */
export function readsOf(inbox: Inbox, lag: LagInput | undefined): Reads {
  if (lag === undefined) {
    return {
      list: (input) => inbox.list(input),
      top: async (input) => ({ items: await inbox.top(input) }),
      counts: (input) => inbox.counts(input),
      groups: (input) => inbox.groups(input),
    };
  }
  const lagging = inbox.mayLag(lag);
  return {
    list: (input) => lagging.list(input),
    top: (input, { epoch, lastSeq, rev }) => inbox.mayLag({ since: { epoch, seq: lastSeq, rev } }).top(input),
    counts: (input) => lagging.counts(input),
    groups: (input) => lagging.groups(input),
  };
}

/** The lag of an answer that is made of several; nothing if none was accepted. */
export function lagOf(...parts: readonly MaybeLagging<object>[]): { readonly lagMs?: number } {
  const lags = parts.flatMap((part) => part.lagMs ?? []);
  return lags.length === 0 ? {} : { lagMs: Math.max(...lags) };
}
