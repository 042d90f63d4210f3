import { BelfryError } from "../foundation/errors.ts";
import { type MembersOf, requireOptions } from "../foundation/issue-list.ts";
import type { StepRange, SweepStep } from "../foundation/json.ts";
import { shown } from "../foundation/parse-text.ts";
import type { InboxRetention } from "../inbox/index.ts";
import { Loop } from "../work/loop.ts";
import { nextTurn } from "../work/timing.ts";
import { type PrivacyContext, stepSize } from "./context.ts";
import { endDeletions } from "./delete-notification.ts";

/** How long items of inboxes stay, in milliseconds since they came. */
export interface ItemRetention {
  /** Items that are read, and items that were deleted from their inbox. @default for ever */
  readonly readMs?: number;
  /** Items that are unread. @default for ever */
  readonly unreadMs?: number;
}

/** How long a service keeps its data. What is not given stays for ever. */
export interface RetentionOptions extends ItemRetention {
  /** Items by the type of their notification, instead of `readMs` and `unreadMs`. @default none */
  readonly types?: Readonly<Record<string, ItemRetention>>;
  /** Sends with their deliveries and attempts, once nothing is left to deliver and no inbox has them, and closed digests, in milliseconds. */
  readonly deliveriesMs?: number;
  /** The hub's events with their records, once nothing is left to process, in milliseconds. */
  readonly eventsMs?: number;
  /** Lines of the audit log, in milliseconds. */
  readonly auditMs?: number;
  /**
   * Broadcasts, in milliseconds since they went out: who comes back later does not get them any more. Those that expired are removed in
   * any case.
   */
  readonly broadcastsMs?: number;
  /**
   * The numbered changes of inboxes, in milliseconds. Who comes back after longer lists the inbox again. An inbox keeps 1,000
   * at most in any case.
   *
   * @default 30 days
   */
  readonly changesMs?: number;
}

/** How many rows a sweep removed. */
export interface SweepResult {
  readonly items: number;
  readonly deliveries: number;
  readonly events: number;
  readonly audit: number;
  readonly changes: number;
  readonly broadcasts: number;
}

const CHANGES_MS = 30 * 86_400_000;
const SWEEP_INTERVAL_MS = 3_600_000;
/** The loop looks for old changes so many times while one is kept: it has to look at each inbox there is. */
const LOOKS_FOR_CHANGES = 30;

/** No time lies before it: nothing is that old. */
const NEVER = new Date(0);

type Step = (range: StepRange) => Promise<SweepStep>;

/**
 * Removes what is older than the host wants to keep it, and what a deletion left that was interrupted: once at the start, then every hour. It looks for old
 * changes of inboxes as often as a thirtieth of their time, since it reads a row of each inbox for that. It works in small steps and lets others work in between. Several processes may sweep at once.
 */
export class Retention {
  /** The background loop. */
  readonly loop: Loop;
  readonly #context: PrivacyContext;
  readonly #options: RetentionOptions;
  /** When the loop looks for old changes again, in milliseconds since 1970. */
  #changesDueAt = 0;

  /** @throws BelfryError `CONFIGURATION` for a time that is no number from 0 */
  constructor(context: PrivacyContext, options: RetentionOptions) {
    checkRetention(options);
    this.#context = context;
    this.#options = options;
    const { clock, logger } = context;
    const run = async () => {
      const now = clock.now();
      const intervalMs = Math.max(SWEEP_INTERVAL_MS, (options.changesMs ?? CHANGES_MS) / LOOKS_FOR_CHANGES);
      // A clock that was set back does not put it off.
      const isDue = now >= this.#changesDueAt || now < this.#changesDueAt - intervalMs;
      await this.sweep({ isWithChanges: isDue });
      this.#changesDueAt = isDue ? now + intervalMs : this.#changesDueAt;
      return SWEEP_INTERVAL_MS;
    };
    this.loop = new Loop({ task: "remove what is older than it is kept", run, clock, logger });
  }

  /** Walks over all data once, the numbered changes of all inboxes only if it says so, and answers how many rows it removed. */
  async sweep({ isWithChanges }: { readonly isWithChanges: boolean } = { isWithChanges: true }): Promise<SweepResult> {
    const { inbox, deliveries, digests, hub, activity, broadcasts, suppressions, softBounces, clock } = this.#context;
    await this.#context.ready();
    const { types = {}, deliveriesMs, eventsMs, auditMs, broadcastsMs, changesMs = CHANGES_MS, ...items } = this.#options;
    const before = (ageMs: number | undefined) => (ageMs === undefined ? NEVER : new Date(Math.max(0, clock.now() - ageMs)));
    const limits = ({ readMs, unreadMs }: ItemRetention) => ({ readBefore: before(readMs), unreadBefore: before(unreadMs) });
    const kept: InboxRetention = {
      ...limits(items),
      at: new Date(clock.now()),
      types: Object.fromEntries(Object.entries(types).map(([type, own]) => [type, limits({ ...items, ...own })])),
    };
    await endDeletions(this.#context, () => !this.loop.isStopping);
    const walk = async (isLimited: boolean, step: Step) => (isLimited ? await this.#walk(step) : 0);
    const hasItems = Object.keys(items).length > 0 || Object.keys(types).length > 0;
    await walk(deliveriesMs !== undefined, (range) => digests.sweep(before(deliveriesMs), range));
    await walk(true, (range) => suppressions.sweep(before(softBounces.withinMs), range));
    await walk(true, (range) => inbox.settleRemoved(range));
    return {
      items: await walk(hasItems, (range) => inbox.sweep(kept, range)),
      deliveries: await walk(deliveriesMs !== undefined, (range) => deliveries.sweep(before(deliveriesMs), range)),
      events: await walk(eventsMs !== undefined, (range) => hub.sweep(before(eventsMs), range)),
      audit: await walk(auditMs !== undefined, (range) => activity.sweepAudit(before(auditMs), range)),
      changes: await walk(isWithChanges, (range) => inbox.sweepChanges(before(changesMs), range)),
      broadcasts: await walk(true, (range) => broadcasts.sweep({ at: kept.at, before: before(broadcastsMs) }, range)),
    };
  }

  async #walk(step: Step): Promise<number> {
    const size = stepSize(this.#context);
    let removed = 0;
    for (let after: string | null = null; !this.loop.isStopping; await nextTurn()) {
      const from: string | null = after;
      const done: SweepStep = await size.step((limit) => step({ after: from, limit }));
      removed += done.removed;
      if (done.next === null) {
        break;
      }
      after = done.next;
    }
    return removed;
  }
}

const ITEM_TIMES: MembersOf<ItemRetention> = { readMs: true, unreadMs: true };
const OPTIONS: MembersOf<RetentionOptions> = {
  ...ITEM_TIMES,
  types: true,
  deliveriesMs: true,
  eventsMs: true,
  auditMs: true,
  broadcastsMs: true,
  changesMs: true,
};

function checkRetention(options: RetentionOptions): void {
  requireOptions("retention", options, OPTIONS);
  const { types = {}, ...times } = options;
  for (const [type, items] of Object.entries(types ?? {})) {
    requireOptions(`retention of the type ${shown(type)}`, items, ITEM_TIMES);
  }
  const all = [...Object.entries(times), ...Object.entries(types ?? {}).flatMap(([type, items]) => itemTimes(type, items))];
  for (const [name, ageMs] of all) {
    if (ageMs !== undefined && !(typeof ageMs === "number" && ageMs >= 0)) {
      throw new BelfryError("CONFIGURATION", `NotificationService takes retention.${name} in milliseconds from 0, got ${shown(ageMs)}.`);
    }
  }
}

function itemTimes(type: string, items: ItemRetention): readonly (readonly [string, unknown])[] {
  return Object.entries(items).map(([name, ageMs]) => [`types[${JSON.stringify(type)}].${name}`, ageMs]);
}
