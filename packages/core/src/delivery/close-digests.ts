import { textOf } from "../foundation/errors.ts";
import { DEFAULT_MAX_ITEMS, declaredType, rulesOfType } from "../notifications/index.ts";
import type { Lease, LeaseStorage, LostLease } from "../work/lease-storage.ts";
import type { LeasedTasks } from "../work/leased-tasks.ts";
import type { TaskEnd } from "../work/leased-work.ts";
import { Cancellation, nextTurn } from "../work/timing.ts";
import { type DeliveryContext, settle } from "./context.ts";
import type { Digest } from "./digest.ts";
import type { ClaimedDigest, DigestMember, TakenEntry, UntakenEntry } from "./digest-storage.ts";
import { closingOf, DigestReach, UNKNOWN, type UserReach } from "./digest-times.ts";
import { type DigestEnd, endedDigest, type Verdict } from "./render-digest.ts";
import { ConditionFailed, Rulings } from "./ruling.ts";

/** How many entries are put into windows, or decided on, at once. */
const BATCH = 256;
/** How many entries of a digest are looked up at the same time. */
const AT_ONCE = 20;
/** How long a condition may take to say whether an entry is still wanted. */
const LOOK_UP_MS = 5_000;
/** The delay after a look-up that failed, times the number of attempts. */
const RETRY_MS = 30_000;
/** After so many attempts a digest goes out without what the host could not say: its directory, or the condition of a type. */
const MOST_ATTEMPTS = 5;

/** A digest with what is to become of it. */
interface EndedDigest {
  readonly claimed: ClaimedDigest;
  readonly end: DigestEnd;
}

/** Puts entries into windows, and renders the digests whose windows have closed. Its promises are in docs/guides/digests.md. */
export class CloseDigests implements LeasedTasks<ClaimedDigest, object, EndedDigest> {
  readonly name = "digests";
  readonly leases: LeaseStorage<ClaimedDigest>;
  readonly #context: DeliveryContext;
  readonly #rulings: Rulings;
  readonly #reach: DigestReach;

  constructor(context: DeliveryContext) {
    this.leases = context.digests.leases;
    this.#context = context;
    this.#rulings = new Rulings(context);
    this.#reach = new DigestReach(context);
  }

  leaseOf({ id, fence, digest: { tenant } }: ClaimedDigest): Lease & { readonly tenant: string } {
    return { id, fence, tenant };
  }

  dueAtOf({ digest: { renderedAt, closesAt } }: ClaimedDigest): Date | null {
    return renderedAt === null ? closesAt : null;
  }

  fairness(): object {
    return {};
  }

  async attempt(claimed: ClaimedDigest): Promise<EndedDigest> {
    try {
      return { claimed, end: claimed.digest.renderedAt === null ? await this.#close(claimed) : { kind: "checked" } };
    } catch (error) {
      const { digest, attempt } = claimed;
      const fields = { digest: digest.id, tenant: digest.tenant, error: textOf(error) };
      this.#context.lines.warn(fields, "A digest could not be rendered; it is tried again.");
      return { claimed, end: { kind: "later", dueAt: new Date(this.#now(digest) + RETRY_MS * Math.min(attempt, 10)) } };
    }
  }

  async record(owner: string, ended: readonly EndedDigest[]): Promise<readonly boolean[]> {
    const counted: boolean[] = [];
    for (const { claimed, end } of ended) {
      const { id, fence, digest } = claimed;
      const settlement = await settle(this.#context, { kind: "digest", id, fence, owner }, (loaded, now) =>
        endedDigest(loaded, now, { digest, end }),
      );
      counted.push(settlement !== null);
      if (settlement !== null && settlement.changes.deliveries.length > 0) {
        this.#context.deliverDue();
      }
      // Each may have hundreds of entries: others get their turn between two.
      await nextTurn();
    }
    return counted;
  }

  endOf({ end }: EndedDigest): TaskEnd {
    return end.kind === "later" || end.kind === "moved" ? "later" : "done";
  }

  makesDue(): boolean {
    return true;
  }

  async endLost(leases: readonly LostLease[]): Promise<void> {
    await this.#context.digests.release(leases);
  }

  /** Puts entries that are due into windows. */
  async tidy(): Promise<void> {
    const { digests, clock, ids, deliverDue } = this.#context;
    for (let before: string | undefined; ; ) {
      const now = new Date(clock.now());
      const entries = await digests.untaken(BATCH, now);
      const [first] = entries;
      // Nothing may hold up the others for ever.
      if (first === undefined || first.deliveryId === before) {
        return;
      }
      before = first.deliveryId;
      const taken = await this.#withWindows(entries, now);
      const [late, others] = [taken.filter(({ closesAt }) => closesAt <= now), taken.filter(({ closesAt }) => closesAt > now)];
      // What comes in time closes the window that is due, which takes what comes late.
      for (const some of [late, others]) {
        if (some.length > 0) {
          await digests.take(some, now, ids.next());
        }
      }
      if (entries.some(({ plan }) => plan.leading)) {
        deliverDue();
      }
      if (entries.length < BATCH) {
        return;
      }
    }
  }

  /** The windows that open for entries where none is open. */
  async #withWindows(entries: readonly UntakenEntry[], now: Date): Promise<readonly TakenEntry[]> {
    const { ids } = this.#context;
    const groups = [...Map.groupBy(entries, placeKey).values()];
    const taken = groups.map(async (group): Promise<readonly TakenEntry[]> => {
      const [{ plan }] = group as [UntakenEntry];
      const closesAt = await this.#closing(group[0] as UntakenEntry, now.getTime());
      const lastAt = plan.maxWindowMs === null ? null : new Date(now.getTime() + plan.maxWindowMs);
      const windows = [...Map.groupBy(group, (entry) => closesAt(entry) <= now.getTime()).values()];
      return windows.flatMap((some) => {
        const [first] = some as [UntakenEntry];
        const openedAt = plan.frequency === null ? now : first.dueAt;
        const window = { digestId: ids.next(), openedAt, closesAt: new Date(closesAt(first)), lastAt };
        return some.map((entry) => ({ ...entry, ...window }));
      });
    });
    return (await Promise.all(taken)).flat();
  }

  /** Says when the windows of entries of one place close. A frequency counts from when an entry was due, however late a worker comes to it. */
  async #closing({ tenant, userId, channel, plan }: UntakenEntry, now: number): Promise<(entry: UntakenEntry) => number> {
    const { windowMs } = plan;
    if (windowMs !== null) {
      return () => now + windowMs;
    }
    const { settings } = (await this.#context.preferences.of(tenant, [userId]))(userId);
    const reached = settings.hasTimeZone ? UNKNOWN : await this.#reach.of({ tenant, userId, channel }).catch(() => null);
    // Where the directory does not answer, the time may be earlier than without its zone: it is asked again soon, and moves the window.
    const latest = reached === null ? now + RETRY_MS : Number.POSITIVE_INFINITY;
    const zone = reached?.timeZone ?? null;
    return ({ dueAt }) => Math.min(closingOf(plan, settings, { zone, atMs: dueAt.getTime() }) ?? now, latest);
  }

  async #close(claimed: ClaimedDigest): Promise<DigestEnd> {
    const { digest, attempt } = claimed;
    const { tenant, userId, channel } = digest;
    const isLast = attempt >= MOST_ATTEMPTS;
    const now = this.#now(digest);
    const { settings } = (await this.#context.preferences.of(tenant, [userId]))(userId);
    const reached = await this.#reach.of(digest).catch((error: unknown) => {
      if (isLast) {
        return UNKNOWN;
      }
      throw error;
    });
    const zone = reached.timeZone;
    const closesAt = closingOf(digest.plan, settings, { zone, atMs: digest.openedAt.getTime() });
    if (closesAt !== null && closesAt > now) {
      // The user's time zone or the tenant's settings have changed since it opened.
      return { kind: "moved", dueAt: new Date(closesAt) };
    }
    const verdicts = new Map<string, Verdict | null>();
    let isUrgent = false;
    for (let after: string | null = null; ; ) {
      const { members, next } = await this.#context.digests.members(digest.id, { after, limit: BATCH });
      for (let start = 0; start < members.length; start += AT_ONCE) {
        const some = members.slice(start, start + AT_ONCE);
        const { address } = reached;
        const found = await Promise.all(some.map((member) => this.#verdictOn(member, { digest, isLast, address })));
        for (const [index, { deliveryId, notification }] of some.entries()) {
          const verdict = found[index] ?? null;
          verdicts.set(deliveryId, verdict);
          isUrgent ||= verdict === null && notification.priority === "urgent";
        }
      }
      if (next === null) {
        break;
      }
      after = next;
    }
    const quietUntil = isUrgent ? null : settings.quietUntil(now, { channel, timeZone: settings.timeZone(zone) });
    return { kind: "rendered", verdicts, dueAt: quietUntil === null ? null : new Date(quietUntil), maxItems: this.#maxItemsOf(digest) };
  }

  /** Why an entry is left out, or null. */
  async #verdictOn(
    member: DigestMember,
    { digest, isLast, address }: Pick<UserReach, "address"> & { readonly digest: Digest; readonly isLast: boolean },
  ): Promise<Verdict | null> {
    const { tenant, userId, channel } = digest;
    const delivery = { tenant, channel, recipient: userId, dueAt: digest.closesAt, topic: member.topic };
    try {
      // The type's condition is the host's own function, and may never answer.
      const limit = { clock: this.#context.clock, timeoutMs: LOOK_UP_MS, cancellation: new Cancellation() };
      const ruling = await this.#rulings.on({ ...member, delivery }, { timeZone: undefined, address, limit });
      return ruling?.outcome === "skip" ? ruling : this.#doneWith(member, digest);
    } catch (error) {
      // Everything else that fails is the database's, which says nothing of the entry.
      if (!isLast || !(error instanceof ConditionFailed)) {
        throw error;
      }
      return { outcome: "fail", error: error.message };
    }
  }

  /** Leaves out what the user has read, archived or deleted. */
  async #doneWith({ notification }: DigestMember, { tenant, userId, channel }: Digest): Promise<Verdict | null> {
    const { inbox } = this.#context;
    const owner = { tenant, userId };
    const declared = declaredType(this.#context, notification.type, { declaredTypesOnly: false });
    const { keepRead = false } = rulesOfType(declared, channel).digest ?? {};
    const item = await inbox.get(owner, notification.id);
    const isDone =
      item === null
        ? (await inbox.get(owner, notification.id, { includeDeleted: true })) !== null
        : item.archivedAt !== null || (item.readAt !== null && !keepRead);
    return isDone ? { outcome: "skip", reason: "read", source: "digest" } : null;
  }

  #maxItemsOf({ plan, channel }: Digest): number {
    const declared = plan.by === "type" ? declaredType(this.#context, plan.name, { declaredTypesOnly: false }) : undefined;
    return rulesOfType(declared, channel).digest?.maxItems ?? DEFAULT_MAX_ITEMS;
  }

  /** The time, no earlier than the window closed: the storage may have a clock of its own. */
  #now({ closesAt }: Digest): number {
    return Math.max(this.#context.clock.now(), closesAt.getTime());
  }
}

/** Names the digest that an entry waits for. */
export function placeKey({
  tenant,
  userId,
  channel,
  plan: { by, scope, name, key, frequency },
}: Pick<UntakenEntry, "tenant" | "userId" | "channel" | "plan">): string {
  return JSON.stringify([tenant, userId, channel, by, scope, name, key, frequency]);
}
