import { BelfryError } from "../foundation/errors.ts";
import { BatchQueue, commitBatch } from "../work/batch-queue.ts";
import { Claims } from "../work/claims.ts";
import type { LeasedWork } from "../work/leased-worker.ts";
import { mayTakeOver } from "../work/may-take-over.ts";
import { retryDelayMs } from "../work/retry-delay.ts";
import { untilRecorded } from "../work/until-recorded.ts";
import { Addresses } from "./addresses.ts";
import { announce } from "./announce.ts";
import { attempt, taskOf } from "./attempt.ts";
import type { Channel, DeliveryFailure, DeliveryOutcome } from "./channel.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import type { DeliveryContext } from "./context.ts";
import { INBOX_CHANNEL, type UnreachedReason } from "./delivery.ts";
import type { ChainSelection, ClaimedDelivery, LoadedSend, SettleChanges } from "./delivery-storage.ts";
import { type EndedAttempt, type EndedAttempts, endAttempts } from "./end-attempts.ts";
import { endLostLeases } from "./end-lost-leases.ts";
import { FairShare } from "./fair-share.ts";
import { endWaits } from "./fallbacks.ts";
import { GoneEndpoints } from "./gone-endpoints.ts";
import { InboxChannel } from "./inbox-channel.ts";
import { DEFAULT_FALLBACK } from "./parse-send.ts";
import type { Settlement } from "./settle-chains.ts";

const MAX_BATCH = 256;
/** A delivery over the inbox does no harm twice; one that again and again costs its worker's life has failed all the same. */
const INBOX_ATTEMPTS = 10;
const PRUNE_INTERVAL_MS = 3_600_000;
const IDEMPOTENCY_MS = 24 * 3_600_000;

/** The numbers of a {@link DeliverDue}. */
export interface DeliverDueOptions {
  readonly concurrency: number;
  readonly leaseMs: number;
}

/** Delivers what is due: the work of the delivery worker. See GUARANTEES in docs/guides/delivery.md for what it promises. */
export class DeliverDue implements LeasedWork<ClaimedDelivery> {
  readonly name = "deliveries";
  readonly #context: DeliveryContext;
  readonly #options: DeliverDueOptions;
  /** Another one at each start, so that what an earlier process held is told apart. */
  readonly #owner: string;
  readonly #inbox: InboxChannel;
  readonly #addresses: Addresses;
  readonly #share: FairShare;
  readonly #breaker = new CircuitBreaker();
  readonly #gone = new GoneEndpoints();
  readonly #ended: BatchQueue<EndedAttempt, boolean>;
  readonly #claims: Claims<ClaimedDelivery>;
  #isFirstTidy = true;
  #prunedMs = Number.NEGATIVE_INFINITY;

  constructor(context: DeliveryContext, options: DeliverDueOptions) {
    this.#context = context;
    this.#options = options;
    this.#owner = context.ids.next();
    this.#inbox = new InboxChannel(context);
    this.#addresses = new Addresses(context.directory);
    this.#share = new FairShare(options.concurrency);
    this.#claims = new Claims({
      idOf: ({ delivery }) => delivery.id,
      claim: (limit) => this.#claimDue(limit),
      leased: () => context.deliveries.leasedTo(this.#owner),
    });
    this.#ended = new BatchQueue({
      take: (queue) => queue.splice(0, MAX_BATCH),
      commit: (batch) =>
        commitBatch(
          batch,
          (ended) => this.#recordAll(ended),
          (pending, accepted) => pending.resolve(accepted),
        ),
    });
  }

  async tidy(): Promise<void> {
    await this.#context.ready();
    const { leaseMs } = this.#options;
    const isAlone = this.#isFirstTidy && mayTakeOver(this.#context, this.name);
    const notOwnedBy = isAlone ? { notOwnedBy: this.#owner } : {};
    const attemptsOf = (name: string) =>
      name === INBOX_CHANNEL ? INBOX_ATTEMPTS : (this.#context.channels.get(name)?.retryDelaysMs.length ?? 0) + 1;
    await this.#settleAll({ kind: "expired", limit: MAX_BATCH, ...notOwnedBy }, (loaded, now) =>
      endLostLeases(loaded, now, { leaseMs, attemptsOf, ...notOwnedBy }),
    );
    this.#isFirstTidy = false;
    await this.#settleAll({ kind: "waiting", limit: MAX_BATCH }, endWaits);
    await this.#prune();
  }

  async claim(limit: number): Promise<readonly ClaimedDelivery[]> {
    const claimed = await this.#claims.take(limit);
    for (const one of claimed) {
      this.#share.began(one);
    }
    return claimed;
  }

  #claimDue(limit: number): Promise<readonly ClaimedDelivery[]> {
    const nowMs = this.#context.clock.now();
    return this.#context.deliveries.claim({
      owner: this.#owner,
      at: new Date(nowMs),
      leaseMs: this.#options.leaseMs,
      limit,
      perEndpoint: this.#share.perEndpoint,
      // E-mail even where it is not configured: as a fallback it was accepted all the same, and has to fail with a reason.
      channels: [...new Set([INBOX_CHANNEL, DEFAULT_FALLBACK, ...this.#context.channels.keys()])],
      exceptTenants: this.#share.fullTenants(),
      exceptEndpoints: [...this.#share.fullEndpoints(), ...this.#breaker.open(nowMs)],
    });
  }

  async perform(claimed: ClaimedDelivery, signal: AbortSignal): Promise<void> {
    const { leaseMs } = this.#options;
    const { clock } = this.#context;
    try {
      const ended = await this.#attempt(claimed, signal);
      this.#noteEndpoint(claimed, ended.outcome);
      if (!(await untilRecorded(() => this.#ended.write(ended), { leaseMs, clock, signal }))) {
        // It was acknowledged meanwhile, deleted, or taken over by another worker, whose attempt counts.
        this.#context.logger.info({ delivery: claimed.delivery.id }, "A delivery had settled otherwise before its attempt ended.");
      }
    } finally {
      this.#claims.release(claimed);
      this.#share.ended(claimed);
    }
  }

  async renew(claimed: readonly ClaimedDelivery[]): Promise<readonly ClaimedDelivery[]> {
    const leases = claimed.map(({ delivery }) => ({ deliveryId: delivery.id, fence: delivery.fence }));
    const at = new Date(this.#context.clock.now());
    const held = await this.#context.deliveries.renew(this.#owner, leases, { at, leaseMs: this.#options.leaseMs });
    const ids = new Set(held.map(({ deliveryId }) => deliveryId));
    return claimed.filter(({ delivery }) => !ids.has(delivery.id));
  }

  nextDueInMs(): Promise<number | null> {
    return this.#context.deliveries.nextDueInMs(new Date(this.#context.clock.now()));
  }

  async #attempt(claimed: ClaimedDelivery, signal: AbortSignal): Promise<EndedAttempt> {
    const { delivery } = claimed;
    const { clock } = this.#context;
    const startedAt = new Date(clock.now());
    const { outcome, reason } = await this.#deliver(claimed, signal);
    const channel = this.#context.channels.get(delivery.channel);
    const retryInMs =
      outcome.status === "failed" && outcome.transient && channel
        ? retryDelayMs(channel.retryDelaysMs, {
            attempt: delivery.attempt - delivery.attemptsBefore,
            retryAfterMs: outcome.retryAfterMs,
            random: Math.random(),
          })
        : null;
    const finishedAt = new Date(clock.now());
    return { deliveryId: delivery.id, owner: this.#owner, fence: delivery.fence, startedAt, finishedAt, outcome, reason, retryInMs };
  }

  async #deliver(claimed: ClaimedDelivery, signal: AbortSignal): Promise<Pick<EndedAttempt, "outcome" | "reason">> {
    const channel = this.#context.channels.get(claimed.delivery.channel);
    if (claimed.delivery.channel === INBOX_CHANNEL) {
      return this.#inbox.deliver(claimed);
    }
    if (channel === undefined) {
      return failed(claimed.delivery.channel, `The channel ${claimed.delivery.channel} is not configured.`);
    }
    if (channel.isConfigured?.(claimed.delivery.tenant) === false) {
      return failed(channel.name, `The channel ${channel.name} has no provider for this client.`);
    }
    const goneUntil = this.#gone.until(claimed.delivery, this.#context.clock.now());
    // What somebody retries is attempted: it may be there again.
    if (goneUntil !== null && claimed.delivery.attemptsBefore === 0) {
      return failed(channel.name, `The endpoint said that it is gone; nothing is sent to it before ${goneUntil.toISOString()}.`);
    }
    const address = await this.#addresses.of(claimed.delivery, channel);
    if (typeof address !== "string") {
      return { outcome: address, reason: null };
    }
    const outcome = await attempt(channel, taskOf(claimed, address), { clock: this.#context.clock, signal });
    return { outcome, reason: null };
  }

  #noteEndpoint({ delivery }: ClaimedDelivery, outcome: DeliveryOutcome): void {
    const nowMs = this.#context.clock.now();
    this.#breaker.ended(delivery, outcome.status === "failed" && outcome.transient, nowMs);
    if (outcome.status !== "failed") {
      this.#gone.forget(delivery);
    } else if (outcome.isEndpointGone) {
      this.#gone.note(delivery, nowMs);
    }
  }

  async #recordAll(ended: readonly EndedAttempt[]): Promise<readonly boolean[]> {
    const byId = new Map(ended.map((one) => [one.deliveryId, one]));
    const result = await this.#settle<EndedAttempts>({ kind: "deliveries", ids: [...byId.keys()] }, (loaded, now) =>
      endAttempts(loaded, now, byId),
    );
    return ended.map(({ deliveryId }) => result?.accepted.has(deliveryId) ?? false);
  }

  /** Settles batch after batch until one is not full. */
  async #settleAll(selection: Extract<ChainSelection, { limit: number }>, decide: Deciding<Settlement>): Promise<void> {
    for (;;) {
      const settlement = await this.#settle(selection, decide);
      if (settlement === null || settlement.changes.deliveries.length < selection.limit) {
        return;
      }
    }
  }

  async #settle<Result extends Settlement>(selection: ChainSelection, decide: Deciding<Result>): Promise<Result | null> {
    let result: Result | null = null;
    await this.#context.deliveries.settle(selection, new Date(this.#context.clock.now()), (loaded, now): SettleChanges => {
      result = decide(loaded, now);
      return result.changes;
    });
    if (result !== null) {
      announce(this.#context, result);
    }
    return result;
  }

  async #prune(): Promise<void> {
    const nowMs = this.#context.clock.now();
    if (nowMs - this.#prunedMs >= PRUNE_INTERVAL_MS) {
      this.#prunedMs = nowMs;
      await this.#context.deliveries.pruneIdempotencyKeys(new Date(nowMs - IDEMPOTENCY_MS));
    }
  }
}

type Deciding<Result> = (loaded: readonly LoadedSend[], now: Date) => Result;

function failed(provider: string, error: string): { readonly outcome: DeliveryFailure; readonly reason: UnreachedReason | null } {
  return { outcome: { status: "failed", transient: false, provider, error }, reason: null };
}

/** Whether a channel's name can be used: the inbox is Belfry's own. */
export function channelsByName(channels: readonly Channel[]): ReadonlyMap<string, Channel> {
  const byName = new Map<string, Channel>();
  for (const channel of channels) {
    if (typeof channel?.name !== "string" || channel.name === "" || channel.name === INBOX_CHANNEL || byName.has(channel.name)) {
      throw new BelfryError(
        "CONFIGURATION",
        `The channels of a service need names of their own, other than "${INBOX_CHANNEL}"; got ${JSON.stringify(channel?.name)}${byName.has(channel?.name) ? " twice" : ""}.`,
      );
    }
    byName.set(channel.name, channel);
  }
  return byName;
}
