import { obeysChoices } from "../decisions/index.ts";
import { isRetryable } from "../foundation/errors.ts";
import { isThenable, type MaybePromise } from "../foundation/maybe-promise.ts";
import { declaredType, INBOX_CHANNEL } from "../notifications/index.ts";
import type { LostLease, NamedLeaseStorage } from "../work/lease-storage.ts";
import type { LeasedTasks } from "../work/leased-tasks.ts";
import type { TaskEnd } from "../work/leased-work.ts";
import { type Cancellation, nextTurn, retryDelayMs } from "../work/timing.ts";
import { Addresses, SharedAddresses } from "./addresses.ts";
import { type AttemptContext, type AttemptResult, attempt, type BegunDelivery, notHandedIn } from "./attempt.ts";
import { endWaits, type Settlement } from "./chains.ts";
import { lackOfProvider } from "./channel-info.ts";
import { type DeliveryContext, settle } from "./context.ts";
import type { Delivery } from "./delivery.ts";
import type { ClaimedDelivery, DeliveryFairness } from "./delivery-storage.ts";
import type { Ruling } from "./delivery-transitions.ts";
import type { StoredBundle } from "./digest-storage.ts";
import { type EndedAttempt, endLostLeases } from "./end-attempts.ts";
import { bouncedAt, type EndedDelivery } from "./ended-delivery.ts";
import { EndpointWatch } from "./endpoint-watch.ts";
import { EndpointShare } from "./endpoints.ts";
import { logFailure, tracedAttempt, tracedResult } from "./follow-attempts.ts";
import { InboxChannel } from "./inbox-channel.ts";
import { DEFAULT_FALLBACK } from "./parse-plan.ts";
import { recordAttempts } from "./record-attempts.ts";
import { expiryOf, expiryOfBundle, Rulings } from "./ruling.ts";
import { SuppressedAddresses, tellSuppressed } from "./suppressed-addresses.ts";
import { ToDevices } from "./to-devices.ts";
import { endOfUnbegun } from "./unbegun.ts";

const MAX_BATCH = 256;
/**
 * The most attempts over the inbox. A repetition does no harm, but a delivery that repeatedly ends its worker's process must
 * fail.
 */
const INBOX_ATTEMPTS = 10;
const PRUNE_INTERVAL_MS = 3_600_000;
const IDEMPOTENCY_MS = 24 * 3_600_000;

/** Makes due deliveries. It is the work of the delivery worker. Its promises are under "Guarantees" in docs/guides/delivery.md. */
export class DeliverDue implements LeasedTasks<ClaimedDelivery, DeliveryFairness, EndedDelivery> {
  readonly name = "deliveries";
  readonly leases: NamedLeaseStorage<ClaimedDelivery, DeliveryFairness>;
  readonly named: NamedLeaseStorage<ClaimedDelivery, DeliveryFairness>;
  readonly #context: DeliveryContext;
  readonly #leaseMs: number;
  readonly #inbox: InboxChannel;
  readonly #rulings: Rulings;
  readonly #suppressed: SuppressedAddresses;
  readonly #attempting: AttemptContext;
  readonly #share: EndpointShare;
  readonly #endpoints: EndpointWatch;
  #prunedMs = Number.NEGATIVE_INFINITY;

  constructor(context: DeliveryContext, { concurrency, leaseMs }: { readonly concurrency: number; readonly leaseMs: number }) {
    this.leases = context.deliveries.leases;
    this.named = context.deliveries.leases;
    this.#context = context;
    this.#leaseMs = leaseMs;
    this.#inbox = new InboxChannel(context);
    this.#rulings = new Rulings(context);
    this.#suppressed = new SuppressedAddresses(context);
    this.#attempting = {
      addresses: new Addresses(context),
      rulings: this.#rulings,
      suppressed: this.#suppressed,
      shared: new SharedAddresses(context.deliveries),
      toDevices: new ToDevices(context),
      types: context.types,
      links: context.unsubscribeLinks,
      clock: context.clock,
    };
    this.#share = new EndpointShare(concurrency);
    this.#endpoints = new EndpointWatch(context);
  }

  leaseOf({ delivery }: ClaimedDelivery): Delivery {
    return delivery;
  }

  dueAtOf({ delivery }: ClaimedDelivery): Date | null {
    return delivery.dueAt;
  }

  fairness(): DeliveryFairness {
    return {
      perEndpoint: this.#share.perEndpoint,
      // E-mail even where it is not configured: as a fallback it was accepted all the same, and has to fail with a reason.
      channels: [...new Set([INBOX_CHANNEL, DEFAULT_FALLBACK, ...this.#context.channels.keys()])],
      exceptEndpoints: [...this.#share.full(), ...this.#endpoints.resting()],
    };
  }

  began({ delivery, hasSuppressed }: ClaimedDelivery, askedMs: number): void {
    this.#share.began(delivery);
    if (hasSuppressed !== undefined) {
      this.#suppressed.claimed(delivery.tenant, { hasSuppressed, askedMs });
    }
  }

  mayBegin({ delivery }: ClaimedDelivery): boolean {
    const isKnown = delivery.channel === INBOX_CHANNEL || this.#context.channels.has(delivery.channel);
    return isKnown && this.#share.mayBegin(delivery) && !this.#endpoints.isResting(delivery);
  }

  reserved({ delivery }: ClaimedDelivery): void {
    this.#suppressed.askAhead(delivery);
  }

  ended({ delivery }: ClaimedDelivery): void {
    this.#share.ended(delivery);
    this.#suppressed.forget(delivery);
  }

  async record(owner: string, ended: readonly EndedDelivery[]): Promise<readonly boolean[]> {
    return (await tellSuppressed(this.#context, bouncedAt(ended), () => recordAttempts(this.#context, owner, ended))).result;
  }

  endOf({ attempt }: EndedDelivery): TaskEnd {
    if ("ruling" in attempt) {
      return attempt.ruling.outcome === "wait" ? "later" : "done";
    }
    const failedAs = attempt.retryInMs === null ? "failed" : "repeated";
    return attempt.outcome.status === "failed" ? failedAs : "done";
  }

  /** Whether it is tried again, waits, or fallbacks follow it. */
  makesDue({ claimed, attempt }: EndedDelivery): boolean {
    return !claimed.isOnly || ("ruling" in attempt ? attempt.ruling.outcome === "wait" : attempt.retryInMs !== null);
  }

  async endLost(leases: readonly LostLease[]): Promise<void> {
    const lost = new Map(leases.map((lease) => [lease.id, lease]));
    const attemptsOf = (name: string) =>
      name === INBOX_CHANNEL ? INBOX_ATTEMPTS : (this.#context.channels.get(name)?.retryDelaysMs.length ?? 0) + 1;
    const leaseMs = this.#leaseMs;
    const found = await Promise.all([...lost.keys()].map(async (id) => [id, await this.#context.digests.bundleOf(id)] as const));
    const end = async (ids: readonly string[], bundles: readonly StoredBundle[]) => {
      await settle(this.#context, { kind: "deliveries", ids }, (loaded, now) =>
        endLostLeases(loaded, now, { lost, leaseMs, attemptsOf, bundles }),
      );
    };
    const alone = found.flatMap(([id, bundle]) => (bundle === null ? [id] : []));
    if (alone.length > 0) {
      await end(alone, []);
    }
    for (const [id, bundle] of found) {
      if (bundle !== null) {
        await end([id, ...bundle.deliveryIds], [bundle]);
        await nextTurn();
      }
    }
  }

  /** Starts the fallbacks that have waited long enough, and forgets old idempotency keys and throttles that are free again. */
  async tidy(): Promise<void> {
    await this.#endpoints.learn();
    await this.#endpoints.rouse();
    let settlement: Settlement | null;
    do {
      settlement = await settle(this.#context, { kind: "waiting", limit: MAX_BATCH }, endWaits);
    } while (settlement !== null && settlement.changes.deliveries.length >= MAX_BATCH);
    await this.#prune();
  }

  async attempt(asClaimed: ClaimedDelivery, cancellation: Cancellation): Promise<EndedDelivery> {
    const startedAt = new Date(this.#context.clock.now());
    let bundle: StoredBundle | null = null;
    let begun: AttemptResult;
    try {
      bundle = asClaimed.delivery.reason === "bundled" ? await this.#context.digests.bundleOf(asClaimed.delivery.id) : null;
      const asked = this.#rulingOn(asClaimed, bundle, startedAt);
      const ruling = isThenable(asked) ? await asked : asked;
      begun = ruling === null ? await this.#deliver({ claimed: asClaimed, bundle, cancellation }) : { ruling };
    } catch (error) {
      if (!isRetryable(error)) {
        throw error;
      }
      begun = { unbegun: error };
    }
    // Its chain has deliveries now that it had not when it was claimed.
    const claimed = begun.isSplit === true ? { ...asClaimed, isOnly: false } : asClaimed;
    const ended = this.#endOf({ claimed, bundle, startedAt }, begun);
    if ("outcome" in ended.attempt) {
      const noted = this.#note(claimed.delivery, ended.attempt);
      if (noted !== undefined) {
        await noted;
      }
    }
    return ended;
  }

  /** What stands against an attempt before its recipient is looked for, or null. */
  #rulingOn(claimed: ClaimedDelivery, bundle: StoredBundle | null, now: Date): MaybePromise<Ruling | null> {
    const expiry = bundle === null ? expiryOf(claimed, now) : expiryOfBundle(bundle, now);
    return expiry ?? this.#context.pauses.ruling(claimed.delivery);
  }

  #endOf(
    { claimed, bundle, startedAt }: Pick<EndedDelivery, "claimed" | "bundle"> & Pick<EndedAttempt, "startedAt">,
    begun: AttemptResult,
  ): EndedDelivery {
    const { channels, clock, lines } = this.#context;
    const { id: deliveryId, fence, channel: name, attempt: number, attemptsBefore } = claimed.delivery;
    const delivered = "unbegun" in begun ? endOfUnbegun({ claimed, bundle }, begun.unbegun, lines) : begun;
    if ("ruling" in delivered) {
      return { claimed, bundle, attempt: { deliveryId, fence, ruling: delivered.ruling } };
    }
    const { outcome, reason, wasHandedIn, bounced } = delivered;
    const channel = channels.get(name);
    const retryInMs =
      outcome.status === "failed" && outcome.transient && channel
        ? retryDelayMs(channel.retryDelaysMs, {
            attempt: number - attemptsBefore,
            retryAfterMs: outcome.retryAfterMs,
            random: Math.random(),
          })
        : null;
    const finishedAt = new Date(clock.now());
    return { claimed, bundle, attempt: { deliveryId, fence, startedAt, finishedAt, outcome, reason, wasHandedIn, bounced, retryInMs } };
  }

  /** Notes what an attempt says of its endpoint. There is a promise only for what the storage learns. */
  #note(delivery: Delivery, { outcome, wasHandedIn, finishedAt }: EndedAttempt): MaybePromise<void> {
    if (outcome.status === "failed" && delivery.channel !== INBOX_CHANNEL) {
      logFailure(this.#context.lines, delivery, outcome);
    }
    // What failed before its channel was called says nothing of the endpoint.
    if (wasHandedIn || outcome.status !== "failed") {
      return this.#endpoints.ended(delivery, outcome, finishedAt.getTime());
    }
  }

  #deliver(begun: BegunDelivery): AttemptResult | Promise<AttemptResult> {
    const { claimed } = begun;
    const { delivery } = claimed;
    const { channels, tracing } = this.#context;
    if (delivery.channel === INBOX_CHANNEL) {
      return this.#deliverToInbox(claimed);
    }
    const channel = channels.get(delivery.channel);
    if (channel === undefined) {
      return notHandedIn(delivery.channel, `The channel ${delivery.channel} is not configured.`);
    }
    const unusable = lackOfProvider(channel, delivery.tenant);
    if (unusable !== null) {
      return notHandedIn(channel.name, unusable);
    }
    const goneUntil = this.#endpoints.goneUntil(delivery);
    // A requested retry is attempted, because the endpoint may be back.
    if (goneUntil !== null && delivery.attemptsBefore === 0) {
      return notHandedIn(channel.name, `The endpoint said that it is gone; nothing is sent to it before ${goneUntil.toISOString()}.`);
    }
    return tracing === null
      ? attempt(channel, begun, this.#attempting)
      : tracing.run(tracedAttempt(delivery), () => attempt(channel, begun, this.#attempting), tracedResult);
  }

  async #deliverToInbox(claimed: ClaimedDelivery): Promise<AttemptResult> {
    const { types } = this.#context;
    const isChosen = obeysChoices(declaredType({ types }, claimed.notification.type, { declaredTypesOnly: false }), INBOX_CHANNEL);
    const ruling = isChosen ? await this.#rulings.on(claimed, { timeZone: null }) : null;
    return ruling !== null ? { ruling } : { ...(await this.#inbox.deliver(claimed)), wasHandedIn: true };
  }

  async #prune(): Promise<void> {
    const nowMs = this.#context.clock.now();
    if (nowMs - this.#prunedMs >= PRUNE_INTERVAL_MS) {
      this.#prunedMs = nowMs;
      await this.#context.deliveries.pruneIdempotencyKeys(new Date(nowMs - IDEMPOTENCY_MS));
      await this.#context.decisions.pruneThrottles(new Date(nowMs));
      await this.#endpoints.prune(nowMs);
    }
  }
}
