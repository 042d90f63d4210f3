import type { Owner } from "../foundation/context.ts";
import { type ChecksOf, requireInput, validationError } from "../foundation/issue-list.ts";
import { whole } from "../foundation/parse-text.ts";
import { nextTurn } from "../work/timing.ts";
import { bringUpToDate } from "./apply-due.ts";
import { emitWhole, publishWhole } from "./change-whole.ts";
import type { InboxContext } from "./context.ts";
import type { MatchingStep } from "./filter-storage.ts";
import { ANYWHERE } from "./find-item.ts";
import type { ItemPlace, WholeChange } from "./inbox-item.ts";
import { type InboxFilter, itemFilter, placeOf, requireFilter } from "./item-filter.ts";
import type { ChangeKey } from "./logged-change.ts";
import { SteppedChange } from "./stepped-change.ts";

/** Which items to change, of all that are there when the call begins. */
export interface MatchingInput {
  /** Only items that match. @default all */
  readonly filter?: InboxFilter;
  /** Only items with numbers up to this `seq`, such as that of the newest item on the screen. @default the last one */
  readonly upTo?: number;
}

const INPUT: ChecksOf<MatchingInput> = { filter: () => null, upTo: whole({ min: 0 }) };

/** A change of all items that match, and the verb that asks for it. */
export interface Matching {
  readonly verb: string;
  readonly mark: "read" | "seen" | "archived";
  readonly input: MatchingInput;
}

/** Changes all items that match, and returns how many active items it changed. */
export async function changeMatching(context: InboxContext, owner: Owner, matching: Matching): Promise<number> {
  return await changeInSteps(context, owner, matchingSteps(context, matching));
}

/** Checks which items are to change. What becomes of the input later does not matter. @throws BelfryError `VALIDATION_ERROR` */
export function matchingSteps(context: Pick<InboxContext, "types">, { verb, mark, input }: Matching): ChangingInSteps {
  requireInput(verb, input, INPUT);
  const { filter = {}, upTo = Number.MAX_SAFE_INTEGER } = input;
  requireFilter(filter);
  const places = placesOf(mark, filter);
  return { change: `${mark}_matching`, mark, places, filter: itemFilter(context.types, filter) ?? {}, upTo };
}

/** Deletes every active item that is read when the call begins, and returns their number. @param key the key that it is made once for */
export async function removeRead(context: InboxContext, owner: Owner, key?: ChangeKey): Promise<number> {
  const upTo = Number.MAX_SAFE_INTEGER;
  return await changeInSteps(context, owner, {
    change: "deleted_read",
    mark: "deleted_read",
    places: ["active"],
    filter: { isRead: true },
    upTo,
    key,
  });
}

/** The items to change, and what everybody is told of that. */
interface ChangingInSteps extends Pick<MatchingStep, "mark" | "places" | "filter" | "upTo" | "key"> {
  readonly change: WholeChange;
}

/**
 * Changes items of an inbox in short steps, so that others are not kept waiting. All of them go by what was read and seen before the
 * first: what a user marks between two steps is not what the call was about. Tells clients and listeners of the service once, also
 * if a later step fails. Returns how many active items it changed, with all calls that have its key.
 */
export async function changeInSteps(
  context: InboxContext,
  owner: Owner,
  { change, upTo, key, ...which }: ChangingInSteps,
): Promise<number> {
  using _call = await context.ready();
  await bringUpToDate(context, owner);
  const at = new Date(context.clock.now());
  let [count, found] = [0, 0];
  let asOf = key?.begun;
  let last = Math.min(upTo, asOf?.lastSeq ?? upTo);
  const steps = new SteppedChange((done) => publishWhole(context, owner, { ...done, isChange: true, change, at }));
  try {
    for (let after: number | null = 0; after !== null; ) {
      const step = await context.inbox.changeMatching(owner, {
        ...which,
        at,
        after,
        upTo: last,
        asOf,
        ...steps.next(context.clock.now()),
        key: key && { ...key, countBefore: count },
      });
      count += step.count;
      found = step.found ?? count;
      steps.add(step);
      if (step.sends.length > 0) {
        await context.reads.onRead(owner, step.sends);
      }
      // What comes in meanwhile is left as it is, and so is what is read or seen meanwhile.
      asOf ??= step.asOf;
      last = Math.min(last, step.counts.lastSeq);
      after = step.next;
      if (after !== null) {
        await nextTurn();
      }
    }
  } finally {
    steps.end();
    emitWhole(context, owner, { change, count });
  }
  return found;
}

/** Where a mark of many finds items: wherever the filter does not say otherwise. Archiving finds active ones. */
function placesOf(mark: Matching["mark"], filter: InboxFilter): readonly ItemPlace[] {
  const place = placeOf(filter);
  if (mark === "archived") {
    if (filter.archived !== undefined || filter.snoozed !== undefined) {
      const name = filter.archived === undefined ? "snoozed" : "archived";
      throw validationError([{ path: ["filter", name], type: "conflict", message: "cannot be given here: active items are archived" }]);
    }
    return ["active"];
  }
  if (place !== "active") {
    return [place];
  }
  return ANYWHERE.filter((one) => one === "active" || filter[one] === undefined);
}
