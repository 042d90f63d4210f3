import { Loop, type NextRun } from "../work/loop.ts";
import { nextTurn } from "../work/timing.ts";
import { applyDue } from "./apply-due.ts";
import { announcedOf, announceItems, type InboxContext } from "./context.ts";
import { ANYWHERE } from "./find-item.ts";
import type { ExpiringNotification, NotificationOwners } from "./inbox-storage.ts";

/** How often a process looks for what another one has put off, or what will expire. */
const POLL_INTERVAL_MS = 5_000;
const AT_ONCE = 100;
/** How many items of an expired notification are looked at together: most of them may have left their inboxes already. */
const LOOKED_AT_ONCE = 1_000;

/**
 * Changes inboxes by the clock: wakes snoozed items, and takes items of expired notifications out. Several processes may do
 * it at once, because an item is changed once, under the lock of its inbox.
 */
export class DueItems {
  /** The background loop. Snoozing and each start wake it, and it also runs when the next item is due. */
  readonly loop: Loop;
  readonly #context: InboxContext;

  constructor(context: InboxContext) {
    this.#context = context;
    const { clock, logger } = context;
    this.loop = new Loop({ task: "wake snoozed items and take expired ones out", run: () => this.#run(), clock, logger });
  }

  async #run(): Promise<NextRun> {
    await this.#context.ready();
    const next = Math.min(await this.#applyAll(), await this.#expireAll());
    const dueInMs = next === Number.POSITIVE_INFINITY ? null : Math.max(next - this.#context.clock.now(), 1);
    return { dueInMs, lookInMs: POLL_INTERVAL_MS };
  }

  /** Does what is due in inboxes, and answers when the next one is. What other transactions hold is left for the next look. */
  async #applyAll(): Promise<number> {
    const { inbox, clock } = this.#context;
    while (!this.loop.isStopping) {
      const inboxes = await inbox.dueInboxes(AT_ONCE);
      const now = clock.now();
      const due = inboxes.filter(({ dueAt }) => dueAt.getTime() <= now);
      let held = 0;
      for (const { tenant, userId } of due) {
        held += Number(!(await applyDue(this.#context, { tenant, userId })));
        await nextTurn();
      }
      const later = inboxes.find(({ dueAt }) => dueAt.getTime() > now);
      if (later !== undefined || held === due.length) {
        const other = held === 0 ? Number.POSITIVE_INFINITY : now + POLL_INTERVAL_MS;
        return later?.dueAt.getTime() ?? other;
      }
    }
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Notes the notifications that have expired, and answers when the next one does. Inboxes know when their items expire; items that an
   * older version wrote are taken out here.
   */
  async #expireAll(): Promise<number> {
    const { inbox, clock } = this.#context;
    while (!this.loop.isStopping) {
      const expiring = await inbox.expiring(AT_ONCE);
      const now = clock.now();
      for (const notification of expiring.filter(({ expiresAt }) => expiresAt.getTime() <= now)) {
        if (!(await this.#expire(notification))) {
          // A fan-out still writes its items.
          return now + POLL_INTERVAL_MS;
        }
      }
      const later = expiring.find(({ expiresAt }) => expiresAt.getTime() > now);
      if (later !== undefined || expiring.length === 0) {
        return later?.expiresAt.getTime() ?? Number.POSITIVE_INFINITY;
      }
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Takes a notification's items out. False if some are still to come. */
  async #expire({ tenant, id }: ExpiringNotification): Promise<boolean> {
    const { inbox, clock } = this.#context;
    while (!this.loop.isStopping) {
      // Asked before the items are looked at: what is written until then, they have.
      const isComing = await inbox.isComing(tenant, id);
      if (!(await this.#takeOut(tenant, id)) && !this.loop.isStopping) {
        if (!isComing) {
          await inbox.noteExpired(tenant, id, new Date(clock.now()));
        }
        return !isComing;
      }
    }
    return true;
  }

  /** Takes a notification out of the inboxes that have it. False if none had. */
  async #takeOut(tenant: string, id: string): Promise<boolean> {
    const { inbox, clock } = this.#context;
    let hasFound = false;
    for (let after: string | null = ""; after !== null && !this.loop.isStopping; ) {
      const page: NotificationOwners = await inbox.ownersOf(tenant, id, { after, limit: LOOKED_AT_ONCE });
      for (const userId of page.users) {
        const at = new Date(clock.now());
        const done = await inbox.mark({ tenant, userId }, [id], { mark: "expired", at, places: ANYWHERE });
        announceItems(this.#context, "deleted", announcedOf(done));
        await nextTurn();
      }
      hasFound ||= page.users.length > 0;
      after = page.next;
      await nextTurn();
    }
    return hasFound;
  }
}
