import { onceReady } from "../foundation/context.ts";
import type { Issue } from "../foundation/errors.ts";
import { requireFunctions, requireNone } from "../foundation/issue-list.ts";
import type { JsonValue } from "../foundation/json.ts";
import { andThen, type MaybePromise } from "../foundation/maybe-promise.ts";
import { stringIssue } from "../foundation/parse-text.ts";
import { readUpToDate } from "./apply-due.ts";
import { bytesOfText } from "./content-cache.ts";
import type { InboxContext } from "./context.ts";
import { inLocale } from "./in-locale.ts";
import type { InboxCounts, InboxItem } from "./inbox-item.ts";
import { askedList, type InboxList, type Listing, readList } from "./list-inbox.ts";

/** What is made of a list, such as the answer of a contract. It goes by the list alone. */
export interface ListForm<Item, Made> {
  /** Tells it from other forms. Not empty. */
  readonly name: string;
  make(list: InboxList<Item>): MaybePromise<Made>;
  /** How much memory it takes, roughly; Infinity for what must not be kept. */
  bytesOf(made: Made): number;
  /** What is given out if it was kept, with the counts of now, and what is kept of one that is given out. @default the same */
  copy?(made: Made, counts: InboxCounts): Made;
}

/** Refuses what is no form. @throws BelfryError `VALIDATION_ERROR` */
export function requireForm(form: ListForm<never, unknown>): void {
  requireFunctions("a form of lists", form, ["make", "bytesOf"]);
  requireNone([stringIssue(form.name, "name") ?? (form.name === OWN_NAME ? emptyName() : null)]);
}

/** The name of the form of `list`, which no other form may have: it would be given what that one made. */
const OWN_NAME = "";

function emptyName(): Issue {
  return { path: ["name"], type: "too_short", message: "must not be empty" };
}

/** What a form made, and the counts of the moment. */
interface Counted<Made> {
  readonly made: Made;
  readonly counts: InboxCounts;
}

/**
 * Makes something of one page of an inbox, unless it was made before and nothing of the page has changed: see {@link ContentCache}. Throws as
 * `listInbox` does.
 */
export function listAs<Item extends Pick<InboxItem, "seq">, Made>(
  context: InboxContext,
  listing: Listing<Item>,
  form: ListForm<Item, Made>,
): MaybePromise<Made> {
  const { contents, inbox, types } = context;
  const { owner } = listing;
  const asked = askedList(types, listing);
  const question = `${form.name} ${asked.text}`;
  if (!contents.isWorthwhile(owner, question)) {
    return andThen(readList(context, owner, asked), (list) => form.make(list));
  }
  const made = (): MaybePromise<Counted<Made>> =>
    andThen(inbox.version(owner), (version) => {
      const kept = contents.find(owner, question, version) as Made | undefined;
      if (kept !== undefined) {
        return { made: form.copy === undefined ? kept : form.copy(kept, version.counts), counts: version.counts };
      }
      return andThen(asked.read(), (page) =>
        andThen(form.make(asked.listOf(page)), (value) => {
          const { counts } = page;
          const kept = form.copy === undefined ? value : form.copy(value, counts);
          const at = { counts, contentToken: version.contentToken };
          contents.keep(owner, question, { version: at, value: kept, bytes: form.bytesOf(kept) });
          return { made: value, counts };
        }),
      );
    });
  const read = () => readUpToDate(context, owner, { read: made, countsOf: ({ counts }: Counted<Made>) => counts });
  return andThen(onceReady(context, read), (found) => found.made);
}

/** A list for a caller, who may change its items. */
interface ItemList<Item> {
  readonly list: InboxList<Item>;
  /** Whether every text that was to be rendered was. */
  readonly isWhole: boolean;
}

/** The form of a list as callers of the library get it, with its texts in a language if one is named. */
export function itemsForm<Item extends InboxItem>(context: InboxContext, locale: string | undefined): ListForm<Item, ItemList<Item>> {
  return {
    name: OWN_NAME,
    make: (list) => (locale === undefined ? { list, isWhole: true } : listInLocale(context, list, locale)),
    bytesOf: ({ list, isWhole }) =>
      isWhole ? list.items.reduce((bytes, item) => bytes + bytesOfItem(item), OBJECT_BYTES) : Number.POSITIVE_INFINITY,
    copy: ({ list, isWhole }, counts) => ({ list: { ...list, items: list.items.map(copyItem), counts: { ...counts } }, isWhole }),
  };
}

/** The list with its texts in a language. Those of an item whose functions fail stay as they are stored. */
async function listInLocale<Item extends InboxItem>(
  context: Pick<InboxContext, "types" | "clock" | "lines">,
  list: InboxList<Item>,
  locale: string,
): Promise<ItemList<Item>> {
  const rendered = await Promise.all(list.items.map((item) => inLocale(context, item, locale)));
  return { list: { ...list, items: rendered.map(({ item }) => item) }, isWhole: rendered.every(({ isWhole }) => isWhole) };
}

function copyItem<Item extends InboxItem>(item: Item): Item {
  return {
    ...item,
    data: copyJson(item.data),
    actions: copyJson(item.actions as JsonValue),
    createdAt: new Date(item.createdAt),
    expiresAt: copyDate(item.expiresAt),
    readAt: copyDate(item.readAt),
    pinnedAt: copyDate(item.pinnedAt),
    archivedAt: copyDate(item.archivedAt),
    snoozedUntil: copyDate(item.snoozedUntil),
  };
}

function copyDate(date: Date | null): Date | null {
  return date === null ? null : new Date(date);
}

/** Copies what came from JSON. A spread keeps a member that is called `__proto__`, and so does setting it afterwards. */
function copyJson(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(copyJson);
  }
  const copy: Record<string, JsonValue> = { ...(value as Readonly<Record<string, JsonValue>>) };
  for (const name of Object.keys(copy)) {
    const member = copy[name] as JsonValue;
    if (typeof member === "object" && member !== null) {
      copy[name] = copyJson(member);
    }
  }
  return copy;
}

/** How much memory an item takes beside its texts and its JSON: its members, and a Date for each of its six times. */
const ITEM_BYTES = 1_024;
const OBJECT_BYTES = 48;
const MEMBER_BYTES = 8;

/** How much memory an item takes, roughly; rather more than less. */
function bytesOfItem({
  title,
  message,
  type,
  source,
  actor,
  url,
  category,
  group,
  replaceKey,
  data,
  actions,
  tenant,
  userId,
}: InboxItem): number {
  const names = type.length + tenant.length + userId.length + lengthOf(source) + lengthOf(actor) + lengthOf(category);
  const short = names + lengthOf(url) + lengthOf(group) + lengthOf(replaceKey);
  return ITEM_BYTES + 2 * short + bytesOfText(title) + bytesOfText(message) + bytesOfJson(data) + bytesOfJson(actions as JsonValue);
}

function lengthOf(text: string | null): number {
  return text === null ? 0 : text.length;
}

function bytesOfJson(value: JsonValue): number {
  if (typeof value === "string") {
    return bytesOfText(value);
  }
  if (typeof value !== "object" || value === null) {
    return MEMBER_BYTES;
  }
  let bytes = OBJECT_BYTES;
  for (const [name, member] of Object.entries(value as Readonly<Record<string, JsonValue>>)) {
    bytes += MEMBER_BYTES + 2 * name.length + bytesOfJson(member);
  }
  return bytes;
}
