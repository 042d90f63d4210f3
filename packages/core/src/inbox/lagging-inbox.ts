import type { Owner } from "../foundation/context.ts";
import { type MembersOf, requireMembers } from "../foundation/issue-list.ts";
import { type CountedRead, isDue, readUpToDate } from "./apply-due.ts";
import type { InboxContext, LaggingReadAnswered } from "./context.ts";
import { type CountsInput, type FilteredCounts, readingFiltered, readingTop } from "./filtered-counts.ts";
import { type GroupList, type GroupsInput, readingGroups } from "./groups.ts";
import type { LocaleInput } from "./in-locale.ts";
import { requirePosition } from "./inbox-event.ts";
import type { InboxCounts, InboxItem, InboxPosition } from "./inbox-item.ts";
import type { InboxPage } from "./inbox-storage.ts";
import { itemsForm } from "./list-forms.ts";
import { askedList, type InboxList, LIST_INPUT, type ListInput } from "./list-inbox.ts";
import type { InboxReads } from "./replica-storage.ts";

/** How far an inbox may be behind. */
export interface LagInput {
  /**
   * A position that the caller knows of already, such as that of an event, or of the counts of an earlier answer (their `lastSeq` is the
   * `seq`). No answer is older. @default any answer that is not further behind than the storage allows
   */
  readonly since?: InboxPosition;
}

/** An answer that may be behind. */
export type Lagging<Answer> = Answer & {
  /**
   * How far the answer may be behind, in milliseconds: everything that was committed longer ago is in it. 0 if the database itself gave it.
   * Its counts say of which place it is.
   */
  readonly lagMs: number;
};

/** A read, on whichever database the reads are of. */
interface LaggingRead<Found> extends Pick<CountedRead<Found>, "countsOf"> {
  readonly read: (inbox: InboxReads) => ReturnType<CountedRead<Found>["read"]>;
  /** Whether it is an answer to what was asked, such as for the next page. @default it is */
  readonly isAnswer?: (found: Found) => boolean;
}

const LAG_INPUT: MembersOf<LagInput> = { since: true };

/**
 * One user's inbox for reads that may be behind, so that a replica of the database can answer them: see `Inbox.mayLag`. Each call
 * returns what the call of the same name of an `Inbox` returns, and how far that may be behind. The database itself answers where no
 * replica is up to it, and where something has to be written first, such as a broadcast that is not placed.
 *
 * @example
 * ```ts
 * const { items, lagMs } = await notifications.inbox("ann").mayLag().list({ limit: 20 });
 * ```
 */
export class LaggingInbox<Item extends InboxItem = InboxItem> {
  readonly owner: Owner;
  readonly #context: InboxContext;
  readonly #since: InboxPosition | null;

  /** Hosts do not call this. They call `inbox.mayLag()`. */
  constructor(owner: Owner, context: InboxContext, input: LagInput = {}) {
    requireMembers("mayLag", input, LAG_INPUT);
    if (input.since !== undefined) {
      requirePosition(input.since);
    }
    this.owner = owner;
    this.#context = context;
    this.#since = input.since ?? null;
  }

  /** See `Inbox.list`. */
  async list(input?: ListInput): Promise<Lagging<InboxList<Item>>> {
    const asked = (inbox: InboxReads) => {
      const read = (...query: Parameters<InboxReads["list"]>) => inbox.list(...query) as InboxPage<Item> | Promise<InboxPage<Item>>;
      return askedList(this.#context.types, { owner: this.owner, input, checks: LIST_INPUT, read });
    };
    const { isAnswer, listOf } = asked(this.#context.inbox);
    const { found, lagMs } = await this.#read({ read: (inbox) => asked(inbox).read(), countsOf: ({ counts }) => counts, isAnswer });
    const { list } = await itemsForm<Item>(this.#context, input?.locale).make(listOf(found));
    return { ...list, lagMs };
  }

  /** See `Inbox.top`. */
  async top(input?: LocaleInput): Promise<Lagging<{ readonly items: readonly Item[] }>> {
    const { read, shown } = readingTop(this.#context, this.owner, input);
    const { found, lagMs } = await this.#read({ read, countsOf: ({ counts }) => counts });
    return { items: (await shown(found)) as readonly Item[], lagMs };
  }

  /** See `Inbox.groups`. */
  async groups(input?: GroupsInput): Promise<Lagging<GroupList<Item>>> {
    const { read, isAnswer, listOf } = readingGroups(this.owner, input);
    const { found, lagMs } = await this.#read({ read, countsOf: ({ counts }) => counts, isAnswer });
    return { ...(listOf(found) as GroupList<Item>), lagMs };
  }

  /** See `Inbox.counts`. */
  counts(): Promise<Lagging<InboxCounts>>;
  /** See `Inbox.counts`. */
  counts(input: CountsInput): Promise<Lagging<FilteredCounts>>;
  async counts(input?: CountsInput): Promise<Lagging<InboxCounts>> {
    const read = input === undefined ? (inbox: InboxReads) => inbox.counts(this.owner) : readingFiltered(this.#context, this.owner, input);
    const { found, lagMs } = await this.#read({ read, countsOf: (counts: InboxCounts) => counts });
    return { ...found, lagMs };
  }

  async #read<Found>({
    read,
    countsOf,
    isAnswer = () => true,
  }: LaggingRead<Found>): Promise<{ readonly found: Found; readonly lagMs: number }> {
    const { inbox, replica } = this.#context;
    using _call = await this.#context.ready();
    const lagging = (await replica?.readInboxes(read)) ?? null;
    if (lagging !== null && this.#isGood(countsOf(lagging.found)) && isAnswer(lagging.found)) {
      this.#tell("replica", lagging.lagMs);
      return lagging;
    }
    const found = await readUpToDate(this.#context, this.owner, { read: () => read(inbox), countsOf });
    this.#tell("database", 0);
    return { found, lagMs: 0 };
  }

  #tell(by: LaggingReadAnswered["by"], lagMs: number): void {
    this.#context.events.emit("inbox.lagging_read", { ...this.owner, by, lagMs });
  }

  /** Whether an answer with these counts is not older than what the caller knows, and nothing is to be written before it. */
  #isGood(counts: InboxCounts): boolean {
    const since = this.#since;
    const isKnown = since === null || (counts.epoch === since.epoch && counts.lastSeq >= since.seq && counts.rev >= (since.rev ?? 0));
    return isKnown && !isDue(this.#context, counts);
  }
}
