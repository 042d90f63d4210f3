import type { Owner } from "../foundation/context.ts";
import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type MembersOf, requireMembers, validationError } from "../foundation/issue-list.ts";
import { shown } from "../foundation/parse-text.ts";
import { bringUpToDate } from "./apply-due.ts";
import type { InboxContext } from "./context.ts";
import type { InboxItem, ItemPlace, ItemRef } from "./inbox-item.ts";

const SEQ_REF: MembersOf<Exclude<ItemRef, string>> = { seq: true };

/** Every place. */
export const ANYWHERE: readonly ItemPlace[] = ["active", "archived", "snoozed"];

/** Finds one item in these places. Throws as {@link absenceError} says if it is not there. */
export async function findItem(
  context: InboxContext,
  owner: Owner,
  { ref, places }: { readonly ref: ItemRef; readonly places: readonly ItemPlace[] },
): Promise<InboxItem> {
  using _call = await context.ready();
  const read = () => context.inbox.get(owner, ref, { places });
  let item = isPossible(ref) ? await read() : null;
  if (isPossible(ref) && (item === null || isChanging(context, item)) && (await bringUpToDate(context, owner))) {
    item = await read();
  }
  if (item === null) {
    throw await absenceError(context, owner, ref);
  }
  return item;
}

/** Whether the time of an item has come: it wakes, or expires. */
function isChanging({ clock }: Pick<InboxContext, "clock">, { snoozedUntil, expiresAt }: InboxItem): boolean {
  return [snoozedUntil, expiresAt].some((time) => time !== null && time.getTime() <= clock.now());
}

/** The error for an item that is not there: `FORBIDDEN` if the notification was never in this inbox, else `NOT_FOUND`. */
export async function absenceError({ inbox }: InboxContext, owner: Owner, ref: ItemRef): Promise<BelfryError> {
  const absence = isPossible(ref) ? await inbox.absence(owner, ref) : "unknown";
  const name = typeof ref === "string" ? shown(ref) : `number ${shown(ref.seq)}`;
  return absence === "foreign"
    ? new BelfryError("FORBIDDEN", `The notification ${name} is not in this user's inbox.`)
    : new BelfryError("NOT_FOUND", `There is no notification ${name} in this inbox.`);
}

/** Whether an item with this ref can exist at all. Belfry does not query the database for an impossible ref. */
export function isPossible(ref: ItemRef): boolean {
  if (typeof ref !== "string") {
    if (typeof ref !== "object" || ref === null) {
      const message = `must be a notification's id, or { seq } with its number in the inbox; is ${shown(ref)}`;
      throw validationError([{ path: ["id"], type: "string_type", message }]);
    }
    requireMembers("an item's place", ref, SEQ_REF);
  }
  return typeof ref === "string" ? isUuid(ref) : Number.isSafeInteger(ref.seq) && ref.seq > 0;
}
