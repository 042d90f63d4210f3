import type { Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { QueryContext } from "../database/query-context.ts";
import { readMarks } from "../schema.ts";
import type { InboxState } from "./inbox-state.ts";
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
export function prepareReadTimes({ prepare }: QueryContext) {
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
    order by ${readMarks.upToSeq} limit 1`);
  return (owner: Owner, { readUpToSeq }: Pick<InboxState, "readUpToSeq">): ReadTime => {
    let mark: Covered | undefined;
    return (seq, ownReadAt) => {
      if (ownReadAt !== null || seq > readUpToSeq) {
        return ownReadAt;
      }
      if (mark === undefined || seq <= mark.after_seq || seq > mark.up_to_seq) {
        mark = earliest.get({ ...owner, seq });
      }
      return mark?.read_at ?? null;
    };
  };
}
