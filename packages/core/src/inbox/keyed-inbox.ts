import type { Owner } from "../foundation/context.ts";
import { BelfryError } from "../foundation/errors.ts";
import { requireNone } from "../foundation/issue-list.ts";
import { type Changing, changeItems, possibleRefs } from "./change-items.ts";
import { changeInSteps, type Matching, type MatchingInput, matchingSteps, removeRead } from "./change-matching.ts";
import { type Once, onceFor } from "./change-once.ts";
import { changeWhole } from "./change-whole.ts";
import type { InboxContext } from "./context.ts";
import { futureTime, InboxGroup, isMark, timeOf } from "./groups.ts";
import type { ItemMark, ItemRef } from "./inbox-item.ts";

/** What a key may look like, so that every header can carry it. */
const KEY = /^[\x20-\x7e]{1,255}$/;

/**
 * An inbox for one change that is to be made once, however often it is asked for: see `Inbox.withKey`. Each call does what the call of
 * the same name of an {@link Inbox} does.
 *
 * @example
 * ```ts
 * await notifications.inbox("ann").withKey(request.headers.get("idempotency-key") ?? "").markAllRead();
 * ```
 */
export class KeyedInbox {
  readonly owner: Owner;
  readonly #context: InboxContext;
  readonly #once: Once;

  /** Hosts do not call this. They call `inbox.withKey(key)`. */
  constructor(owner: Owner, key: string, context: InboxContext) {
    if (typeof key !== "string" || !KEY.test(key)) {
      throw new BelfryError("INVALID_IDEMPOTENCY_KEY", "An idempotency key must have 1 to 255 characters, all of them printable ASCII.");
    }
    this.owner = owner;
    this.#context = context;
    this.#once = onceFor(context, owner, key);
  }

  /** See `Inbox.markMany`. */
  async markMany(refs: readonly ItemRef[], mark: ItemMark | "read" | "unread"): Promise<number> {
    requireNone([isMark(mark, "mark")]);
    return await this.#changeItems([mark, refs], refs, () => mark);
  }

  /** See `Inbox.snoozeMany`. */
  snoozeMany(refs: readonly ItemRef[], until: Date | string): Promise<number> {
    const time = timeOf(until);
    // When it is repeated, the time may have passed.
    return this.#changeItems(["snoozed", refs, until], refs, () => ({ until: futureTime(this.#context, time) }));
  }

  /** See `Inbox.removeMany`. */
  removeMany(refs: readonly ItemRef[]): Promise<number> {
    return this.#changeItems(["deleted", refs], refs, () => "deleted");
  }

  /** See `Inbox.markAllRead`. */
  markAllRead(input?: MatchingInput): Promise<number> {
    return input === undefined ? this.#changeWhole("read_all") : this.#changeMatching({ verb: "markAllRead", mark: "read", input });
  }

  /** See `Inbox.markAllSeen`. */
  markAllSeen(input?: MatchingInput): Promise<number> {
    return input === undefined ? this.#changeWhole("seen_all") : this.#changeMatching({ verb: "markAllSeen", mark: "seen", input });
  }

  /** See `Inbox.archiveAll`. */
  archiveAll(input: MatchingInput = {}): Promise<number> {
    return this.#changeMatching({ verb: "archiveAll", mark: "archived", input });
  }

  /** See `Inbox.removeRead`. */
  removeRead(): Promise<number> {
    return this.#once(["deleted_read"], (key) => removeRead(this.#context, this.owner, key));
  }

  /** See `Inbox.group`. */
  group(name: string): InboxGroup {
    return new InboxGroup({ owner: this.owner, name }, this.#context, this.#once);
  }

  async #changeItems(said: readonly unknown[], given: readonly ItemRef[], changeOf: () => Changing["change"]): Promise<number> {
    // The key is looked for first: the caller may have changed the list by the time that the items change.
    const refs = possibleRefs(given);
    return await this.#once(said, async (key) => {
      const changing = { owner: this.owner, refs, change: changeOf(), activeOnly: false, key };
      return (await changeItems(this.#context, changing)).length;
    });
  }

  #changeWhole(change: "read_all" | "seen_all"): Promise<number> {
    return this.#once([change], (key) => changeWhole(this.#context, this.owner, { change, key }));
  }

  async #changeMatching(matching: Matching): Promise<number> {
    const { verb, input } = matching;
    // The key is looked for first: the caller may have changed the input by the time that the items change.
    const steps = matchingSteps(this.#context, matching);
    return await this.#once([verb, input], (key) => changeInSteps(this.#context, this.owner, { ...steps, key }));
  }
}
