import type { Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { QueryContext } from "../database/query-context.ts";
import { readMarks } from "../schema.ts";
import type { ReadState } from "./inbox-state.ts";
import type { ReadTime } from "./item-row.ts";

/** The numbers that one mark was the first to cover. */
interface Covered {
  readonly after_seq: number;
  readonly up_to_seq: number;
  readonly read_at: number;
}

/**
 * Makes, for one inbox, what tells when its items were read: an item's own time, else that of the earliest mark that
 * covers it, else null. Marks are looked up only where an item needs one, and neighbours usually share it; as part of
 * the statement that reads the items, the look-up costs every item, read by a mark or not.
 */
export function prepareReadTimes(context: QueryContext) {
  const { prepare } = context;
  const readAgain = prepareReadAgain(context);
  const earlier = alias(readMarks, "earlier");
  const earliest = prepare<Owner & { readonly seq: number }, Covered>(sql`
    select ${readMarks.upToSeq}, ${readMarks.readAt}, coalesce((
        select ${earlier.upToSeq} from ${readMarks} as ${earlier}
        where ${earlier.tenant} = ${readMarks.tenant} and ${earlier.userId} = ${readMarks.userId}
          and ${earlier.upToSeq} < ${readMarks.upToSeq}
        order by ${earlier.upToSeq} desc limit 1), 0) as after_seq
    from ${readMarks}
    where ${readMarks.tenant} = ${sql.placeholder("tenant")} and ${readMarks.userId} = ${sql.placeholder("userId")}
      and ${readMarks.upToSeq} >= ${sql.placeholder("seq")}
    order by ${readMarks.upToSeq}, ${readMarks.rev} limit 1`);
  return (owner: Owner, { readUpToSeq }: Pick<ReadState, "readUpToSeq">): ReadTime => {
    let mark: Covered | undefined;
    return (seq, ownReadAt, unreadRev) => {
      if (ownReadAt !== null || seq > readUpToSeq) {
        return ownReadAt;
      }
      if (unreadRev !== null) {
        return readAgain(owner, seq, unreadRev);
      }
      if (mark === undefined || seq <= mark.after_seq || seq > mark.up_to_seq) {
        mark = earliest.get({ ...owner, seq });
      }
      return mark?.read_at ?? null;
    };
  };
}

/** Finds when an item that was marked unread by a change was read again: the time of the earliest later mark that covers it. */
function prepareReadAgain({ prepare }: QueryContext) {
  const earliestAfter = prepare<Owner & { readonly seq: number; readonly rev: number }, Pick<Covered, "read_at">>(sql`
    select ${readMarks.readAt} from ${readMarks}
    where ${readMarks.tenant} = ${sql.placeholder("tenant")} and ${readMarks.userId} = ${sql.placeholder("userId")}
      and ${readMarks.upToSeq} >= ${sql.placeholder("seq")} and ${readMarks.rev} > ${sql.placeholder("rev")}
    order by ${readMarks.upToSeq}, ${readMarks.rev} limit 1`);
  return (owner: Owner, seq: number, rev: number): number | null => earliestAfter.get({ ...owner, seq, rev })?.read_at ?? null;
}
