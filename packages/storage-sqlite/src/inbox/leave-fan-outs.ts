import type { Owner } from "@belfry/core";
import { eq, sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { fanOutChunks, notifications } from "../schema.ts";
import { joinValue } from "./conditions.ts";

/** Takes a user out of the fan-outs that still name them, and answers how many chunks did. */
export function prepareLeaveFanOuts({ builder, prepare, prepareRows }: QueryContext) {
  // The search for the text is fast; whether it is a recipient, the chunk itself tells.
  const naming = prepareRows<Owner & { readonly text: string; readonly limit: number }, readonly [pk: number, recipients: string]>(sql`
    select ${fanOutChunks.pk}, ${fanOutChunks.recipients}
    from ${fanOutChunks} cross join ${notifications} on ${notifications.pk} = ${fanOutChunks.notificationPk}
    where ${notifications.tenant} = ${joinValue("tenant")} and instr(${fanOutChunks.recipients}, ${joinValue("text")}) > 0
      and exists (select 1 from json_each(${fanOutChunks.recipients}) where value = ${joinValue("userId")})
    order by ${fanOutChunks.pk} limit ${sql.placeholder("limit")}`);
  const own = eq(fanOutChunks.pk, sql.placeholder("pk"));
  const forget = prepare<{ readonly pk: number }>(builder.delete(fanOutChunks).where(own));
  const keep = prepare<{ readonly pk: number; readonly recipients: string }>(
    builder
      .update(fanOutChunks)
      .set({ recipients: sql`${sql.placeholder("recipients")}` })
      .where(own),
  );
  return (owner: Owner, limit: number): number => {
    const chunks = naming.all({ ...owner, text: JSON.stringify(owner.userId), limit });
    for (const [pk, text] of chunks) {
      const recipients = (JSON.parse(text) as readonly string[]).filter((userId) => userId !== owner.userId);
      if (recipients.length === 0) {
        forget.run({ pk });
      } else {
        keep.run({ pk, recipients: JSON.stringify(recipients) });
      }
    }
    return chunks.length;
  };
}
