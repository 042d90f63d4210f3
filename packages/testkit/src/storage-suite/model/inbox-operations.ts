import type { ItemFilter, ItemMarking, ItemPlace, MatchingMark } from "@belfry/core/storage";
import fc from "fast-check";

/** The users of both tenants of a run. Their names are easily taken for one another. */
export const MODEL_USERS: readonly string[] = ["ann", "Ann", "ann "];
export const MODEL_TYPES: readonly string[] = ["note", "alert", "Note"];
/** The categories of the types; the last has one for which a filter may name the type. */
export const MODEL_CATEGORIES: readonly (string | null)[] = ["social", "billing", null];
export const MODEL_PRIORITIES = ["low", "normal", "urgent"] as const;

/** One notification to make. Tenants, users and types are named by their place in the lists. */
export interface Draft {
  readonly tenant: number;
  readonly users: readonly number[];
  readonly type: number;
  readonly category: number;
  readonly priority: number;
  readonly group: number | null;
  readonly replace: number | null;
  readonly actor: number | null;
  /** The second at which it expires. */
  readonly end: number | null;
}

/** Picks one of all items, whoever of either tenant has it and whether deleted or not, or one that nobody has. */
export interface Pick {
  readonly item: number;
  readonly by: "id" | "seq" | "nobody";
}

/** A filter and a place in a list; `start` is a part of the inbox's length, in percent. `inbox` picks the one to compare closely. */
export interface Look {
  readonly inbox: number;
  readonly status: "all" | "unread" | "read";
  readonly place: ItemPlace;
  readonly type: number | null;
  readonly filter: ItemFilter | null;
  readonly from: "newest" | "before" | "offset";
  readonly start: number;
  readonly limit: number;
}

interface Whose {
  readonly tenant: number;
  readonly user: number;
}

/** One step of a run. What it names is looked up when it runs, so that fast-check can leave out steps before it. */
export type Operation =
  | { readonly do: "create"; readonly drafts: readonly Draft[]; readonly skipBusy: boolean }
  | { readonly do: "repeat"; readonly written: number; readonly draft: Draft }
  | { readonly do: "transaction"; readonly drafts: readonly Draft[]; readonly commit: boolean }
  | ({ readonly do: "markRead" | "markUnread" | "remove"; readonly picks: readonly Pick[]; readonly second: number } & Whose)
  | ({
      readonly do: "mark";
      readonly mark: ItemMarking["mark"];
      /** Where it looks for the items, if not where the mark finds them by itself. */
      readonly places: readonly ItemPlace[] | null;
      readonly forSeconds: number;
      readonly picks: readonly Pick[];
      readonly second: number;
    } & Whose)
  | ({ readonly do: "markAllRead" | "markAllSeen"; readonly second: number } & Whose)
  | ({ readonly do: "removeRead"; readonly second: number /** Whether all is marked read before. */; readonly isMarked: boolean } & Whose)
  | ({
      readonly do: "changeMatching";
      readonly mark: MatchingMark;
      readonly places: readonly ItemPlace[];
      readonly filter: ItemFilter;
      readonly second: number;
      /** The items between, in percent of the inbox's length. */
      readonly range: readonly [start: number, end: number];
    } & Whose)
  | ({ readonly do: "applyDue"; readonly second: number } & Whose)
  | { readonly do: "settleRemoved"; readonly limit: number }
  | { readonly do: "fanOut"; readonly draft: Draft; readonly chunkSize: number }
  | { readonly do: "fanOutNext"; readonly second: number }
  | ({ readonly do: "find"; readonly pick: Pick } & Whose)
  | ({ readonly do: "pageThrough"; readonly look: Look } & Whose)
  | ({ readonly do: "follow"; readonly start: number; readonly limit: number } & Whose)
  | { readonly do: "renewEpochs" };

const MARKS: ItemMarking["mark"][] = [
  ...(["seen", "unseen", "pinned", "unpinned", "archived", "unarchived", "snoozed", "snoozed", "woken"] as const),
  ...(["read", "unread", "deleted", "expired"] as const),
];
const MATCHING: MatchingMark[] = [
  ...(["read", "read", "unread", "seen", "seen", "unseen", "pinned", "unpinned", "archived", "archived", "unarchived", "deleted"] as const),
  "deleted_read",
];
/** The marks that leave an item where it is, or take it from there. */
const ANYWHERE: readonly ItemMarking["mark"][] = ["seen", "unseen", "pinned", "unpinned", "read", "unread", "deleted"];

/** Where a change by filter may look for its items, of the places that were drawn. */
function placesOf({ mark, places }: { readonly mark: MatchingMark; readonly places: readonly ItemPlace[] }): readonly ItemPlace[] {
  if (mark === "deleted_read") {
    return ["active"];
  }
  return ANYWHERE.includes(mark) ? places : ["active", "archived"];
}

const tenant = fc.nat({ max: 1 });
const user = fc.nat({ max: MODEL_USERS.length - 1 });
const second = fc.nat({ max: 1_000 });
const anyDraft: fc.Arbitrary<Draft> = fc.record({
  tenant,
  users: fc.uniqueArray(user, { minLength: 1, maxLength: MODEL_USERS.length }),
  type: fc.nat({ max: MODEL_TYPES.length - 1 }),
  category: fc.nat({ max: MODEL_CATEGORIES.length - 1 }),
  priority: fc.nat({ max: MODEL_PRIORITIES.length - 1 }),
  group: fc.option(fc.nat({ max: 2 }), { freq: 3 }),
  replace: fc.option(fc.nat({ max: 1 }), { freq: 1 }),
  actor: fc.option(fc.nat({ max: 4 }), { freq: 4 }),
  end: fc.option(second, { freq: 1 }),
});
/** In the second tenant nothing is in a group, and little expires: such items are in the way of deleting all that is read at once. */
const draft: fc.Arbitrary<Draft> = anyDraft.map((one) =>
  one.tenant === 1 ? { ...one, group: null, end: one.actor === null ? one.end : null } : one,
);
const someTypes = fc.subarray([...MODEL_TYPES], { minLength: 1 });

/** Any filter, with about half of its conditions. */
export const filter: fc.Arbitrary<ItemFilter> = fc.record(
  {
    types: someTypes,
    categories: fc.record({ names: fc.subarray(["social", "billing"]), types: someTypes }),
    priorities: fc.subarray([...MODEL_PRIORITIES], { minLength: 1 }),
    isRead: fc.boolean(),
    isSeen: fc.boolean(),
    isPinned: fc.boolean(),
    wasSnoozed: fc.constant(true as const),
    group: fc.constantFrom("group 0", "group 1"),
  },
  { requiredKeys: [] },
);
const drafts = fc.array(draft, { minLength: 1, maxLength: 3 });
const pick: fc.Arbitrary<Pick> = fc.record({
  item: fc.nat({ max: 10_000 }),
  by: fc.oneof(
    { weight: 5, arbitrary: fc.constant("id" as const) },
    { weight: 5, arbitrary: fc.constant("seq" as const) },
    fc.constant("nobody" as const),
  ),
});

/** A filter and a place, as a list is looked at after every step. */
export const look: fc.Arbitrary<Look> = fc.record({
  inbox: fc.nat({ max: 2 * MODEL_USERS.length - 1 }),
  status: fc.constantFrom("all" as const, "unread" as const, "read" as const),
  place: fc.constantFrom<ItemPlace[]>("active", "active", "active", "archived", "snoozed"),
  type: fc.option(fc.nat({ max: MODEL_TYPES.length - 1 })),
  filter: fc.option(filter),
  from: fc.constantFrom("newest" as const, "before" as const, "offset" as const),
  start: fc.nat({ max: 110 }),
  limit: fc.integer({ min: 1, max: 8 }),
});

/** Any operation. Creating outweighs removing, so that inboxes grow. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant("create" as const), drafts, skipBusy: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat" as const), written: fc.nat({ max: 10_000 }), draft }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("transaction" as const), drafts, commit: fc.boolean() }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom("markRead" as const, "markRead" as const, "markUnread" as const, "remove" as const),
      tenant,
      user,
      picks: fc.array(pick, { maxLength: 6 }),
      second,
    }),
  },
  {
    weight: 10,
    arbitrary: fc
      .record({
        do: fc.constant("mark" as const),
        mark: fc.constantFrom<ItemMarking["mark"][]>(...MARKS),
        places: fc.option(fc.subarray<ItemPlace>(["active", "archived", "snoozed"], { minLength: 1 })),
        forSeconds: fc.nat({ max: 100 }),
        tenant,
        user,
        picks: fc.array(pick, { maxLength: 6 }),
        second,
      })
      .map((step) => (ANYWHERE.includes(step.mark) ? step : { ...step, places: null })),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("markAllRead" as const, "markAllSeen" as const), tenant, user, second }) },
  {
    weight: 5,
    arbitrary: fc
      .record({
        do: fc.constant("changeMatching" as const),
        mark: fc.constantFrom<MatchingMark[]>(...MATCHING),
        places: fc.subarray<ItemPlace>(["active", "archived", "snoozed"], { minLength: 1 }),
        filter,
        tenant,
        user,
        second,
        range: fc.tuple(fc.constantFrom(0, 0, 0, 30), fc.constantFrom(60, 100, 100, 120)),
      })
      .map((step) => ({ ...step, places: placesOf(step) })),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("applyDue" as const), tenant, user, second }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("removeRead" as const), tenant, user, second, isMarked: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("settleRemoved" as const), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fanOut" as const), draft, chunkSize: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("fanOutNext" as const), second }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("find" as const), tenant, user, pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pageThrough" as const), tenant, user, look }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("follow" as const),
      tenant,
      user,
      start: fc.nat({ max: 110 }),
      limit: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("renewEpochs" as const) }) },
);
