import type { DecisionsStorage, PreferencesReader, UnsubscribeLinks } from "../decisions/index.ts";
import type { BaseContext, Emits, Owner } from "../foundation/context.ts";
import type { RepeatedLines } from "../foundation/repeated-lines.ts";
import type { Tracing } from "../foundation/tracing.ts";
import type { InboxEvents, InboxSignal, InboxStorage } from "../inbox/index.ts";
import { type CreationEvents, isBeingDeleted, type Notification, type NotificationTypes } from "../notifications/index.ts";
import type { LaneQueue } from "../work/lane-queue.ts";
import type { SharedStorage } from "../work/lease-storage.ts";
import { nextTurn, type TurnQueue } from "../work/timing.ts";
import type { SendWithTurns, WaitingSend } from "./begin-at-once.ts";
import type { Settlement } from "./chains.ts";
import type { Channel, Directory } from "./channel.ts";
import type { AttemptEnded, DeliveryChanged, SendChanged } from "./delivery.ts";
import type { ChainSelection, ClaimedDelivery, DeliveryStorage, LoadedSend, SettleChanges } from "./delivery-storage.ts";
import type { DeviceSource } from "./device.ts";
import type { DigestStorage } from "./digest-storage.ts";
import type { HoldsStorage } from "./holds-storage.ts";
import type { NewSend, SendCreated } from "./new-send.ts";
import type { PausesInForce } from "./pauses-in-force.ts";
import type { RestsElsewhere } from "./rests-elsewhere.ts";
import type { UntoldSuppressions } from "./suppressed-addresses.ts";
import type { SuppressionEvents, SuppressionsStorage } from "./suppressions-storage.ts";

/** The parts that operations on deliveries use. */
export interface DeliveryContext<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> extends BaseContext {
  readonly storage: SharedStorage;
  readonly deliveries: DeliveryStorage<Tx, Written>;
  readonly digests: DigestStorage;
  readonly holds: HoldsStorage;
  /** What is paused at this moment. */
  readonly pauses: PausesInForce;
  /** Which endpoints rest in other processes. */
  readonly rests: RestsElsewhere;
  readonly sendWriter: LaneQueue<WaitingSend, SendCreated>;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, Channel>;
  readonly directory: Directory | null;
  /** The devices of users, for channels that deliver to them. */
  readonly devices: DeviceSource;
  /** The addresses that nothing is delivered to. */
  readonly suppressions: SuppressionsStorage;
  /** Those of them that may have been suppressed without anybody having been told. */
  readonly untoldSuppressions: UntoldSuppressions;
  /** From how many soft bounces on an address is suppressed, and within which time, in milliseconds. */
  readonly softBounces: { readonly most: number; readonly withinMs: number };
  /** Tells whether a user has an open socket or stream, on any instance. */
  readonly presence: { isOnline(owner: Owner): Promise<boolean> };
  /** What users chose, for decisions. */
  readonly preferences: PreferencesReader;
  readonly decisions: Pick<DecisionsStorage, "throttleFreeAt" | "pruneThrottles">;
  readonly inbox: Pick<InboxStorage, "get" | "counts">;
  readonly types: NotificationTypes;
  /** Makes links that switch a channel off for a user; null where the host configured none. */
  readonly unsubscribeLinks: Pick<UnsubscribeLinks, "linkFor" | "linkForDigest"> | null;
  /** The language of what is stored, as a BCP 47 tag. */
  readonly locale: string;
  /** Follows attempts, for traces; null where nothing is traced. */
  readonly tracing: Tracing | null;
  /** Writes warnings that may come with every delivery. */
  readonly lines: RepeatedLines;
  /** The turns of lists of sends, which may be large. */
  readonly turns: TurnQueue;
  readonly events: Emits<DeliveryEvents & CreationEvents & InboxEvents & SuppressionEvents>;
  /** Has every process look at the inboxes that are followed there: many may have changed. Call it only after the commit. */
  lookAtInboxes(): void;
  /** Starts writing the parts of large audiences in the background. Call it only after the commit. */
  fanOut(): void;
  /**
   * Has a tenant's broadcasts placed for those who are connected, sends those whose time has come, and reads their users from the host,
   * in the background. Call it only after the commit.
   */
  broadcast(tenant: string): void;
  /** Ends a broadcast that has no deliveries: see `BroadcastStorage.end`. */
  endBroadcast(of: Pick<Notification, "tenant" | "id">, by: { readonly actor: string; readonly at: Date }): Promise<Notification | null>;
  /** Starts due deliveries in the background. Call it only after the commit. */
  deliverDue(): void;
  /** Reserves turns of this process's worker for what a send has due at once; null if there are none. */
  reserveTurns(send: NewSend): SendWithTurns | null;
  /** Puts entries into windows and renders digests that are due, in the background. Call it only after the commit. */
  closeDigests(): void;
  /** Does what the clock changes in inboxes, in the background. */
  dueItems(): void;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly InboxSignal[]): void;
}

/** The events of deliveries, by name. */
export interface DeliveryEvents {
  /** A fallback is due, or somebody retried a failed delivery. */
  "delivery.pending": DeliveryChanged;
  "delivery.waiting": DeliveryChanged;
  "delivery.sent": DeliveryChanged;
  "delivery.delivered": DeliveryChanged;
  /** The delivery failed for good. A failed attempt that is followed by another one raises no event. */
  "delivery.failed": DeliveryChanged;
  /** It was decided not to deliver it: its `reason` says why, its `reasonSource` whose decision that was. */
  "delivery.skipped": DeliveryChanged;
  "delivery.cancelled": DeliveryChanged;
  /** An attempt ended, also one that is followed by another, or whose worker was lost. */
  "attempt.ended": AttemptEnded;
  "send.changed": SendChanged;
}

/** How many deliveries one step makes due: few enough that it holds its locks for a few milliseconds. */
const RECONSIDERED = 20;

/** Has the deliveries of a user that wait for quiet hours decided anew: the user changed them. Others are decided when they are claimed. */
export async function reconsider(
  { deliveries, clock, deliverDue }: Pick<DeliveryContext, "deliveries" | "clock" | "deliverDue">,
  owner: Owner,
): Promise<void> {
  for (let moved = RECONSIDERED; moved === RECONSIDERED; await nextTurn()) {
    moved = await deliveries.reconsider(owner, RECONSIDERED, new Date(clock.now()));
    if (moved > 0) {
      deliverDue();
    }
  }
}

type SettlingContext = Pick<DeliveryContext, "deliveries" | "clock" | "events">;

/** A decision that changes nothing. */
const NOTHING = { deliveries: [], attempts: [], sends: [], audit: [] } as const;

/**
 * Decides on the selected chains, and tells the host's listeners what became of them. Returns the decision, null if nothing was
 * selected. A decision that is a sentence, or null, changes nothing.
 */
export async function settle<Decided extends Settlement | string | null>(
  { deliveries, clock, events }: SettlingContext,
  selection: ChainSelection,
  decide: (loaded: readonly LoadedSend[], now: Date) => Decided,
): Promise<Decided | null> {
  const last: { decided: Decided | null; loaded: readonly LoadedSend[] } = { decided: null, loaded: [] };
  await deliveries.settle(selection, new Date(clock.now()), (loaded, now) => {
    const decided = decide(loaded, now);
    Object.assign(last, { decided, loaded });
    return decided === null || typeof decided === "string" ? NOTHING : decided.changes;
  });
  const { decided, loaded } = last;
  if (decided !== null && typeof decided !== "string") {
    tell(events, decided, loaded);
  }
  return decided;
}

/**
 * Decides on deliveries that `owner` claimed and that are the only ones of their notifications, as the claim left them, and tells
 * the host's listeners. Returns the ids of those that counted. The others, which changed since, are to be settled.
 */
export async function complete(
  { deliveries, clock, events }: SettlingContext,
  { owner, claimed }: { readonly owner: string; readonly claimed: readonly ClaimedDelivery[] },
  decide: (loaded: readonly LoadedSend[], now: Date) => Settlement,
): Promise<ReadonlySet<string>> {
  const at = new Date(clock.now());
  const loaded = claimed.map(({ delivery, state }): LoadedSend => ({ state, chains: [[{ ...delivery, isRead: false }]] }));
  const expected = decide(loaded, at);
  const { ids, now } = await deliveries.complete(owner, { ...expected.changes, claimed }, at);
  const areAll = ids.size === claimed.length;
  // The storage's time is for those who listen: where nobody does, nothing is decided again for it.
  if (areAll && !areHeard(events, expected)) {
    return ids;
  }
  const counted = areAll ? loaded : loaded.filter((_, index) => ids.has(claimed[index]?.delivery.id ?? ""));
  const decided = areAll && now.getTime() === at.getTime() ? expected : decide(counted, now);
  tell(events, decided, counted);
  return ids;
}

/** Whether any of the host's listeners is told what became of deliveries. */
function areHeard(events: DeliveryContext["events"], { deliveries, sends, changes }: Settlement): boolean {
  return (
    (changes.attempts.length > 0 && events.hears("attempt.ended")) ||
    (sends.length > 0 && events.hears("send.changed")) ||
    deliveries.some(({ delivery }) => events.hears(`delivery.${delivery.status}`))
  );
}

/** Tells the host's listeners what became of deliveries, but for those of notifications that are being deleted. */
function tell(events: DeliveryContext["events"], { deliveries, sends, changes }: Settlement, loaded: readonly LoadedSend[]): void {
  const deleted = new Set(loaded.filter(({ state }) => isBeingDeleted(state)).map(({ state }) => state.id));
  for (const { delivery, from } of deliveries) {
    if (!deleted.has(delivery.notificationId)) {
      events.emit(`delivery.${delivery.status}`, { delivery, from });
    }
  }
  for (const transition of sends) {
    if (!deleted.has(transition.id)) {
      events.emit("send.changed", transition);
    }
  }
  if (changes.attempts.length > 0 && events.hears("attempt.ended")) {
    tellAttempts(events, changes, loaded);
  }
}

/** Tells of attempts, also of notifications that are being deleted: those were made, too. */
function tellAttempts(events: DeliveryContext["events"], { attempts, deliveries }: SettleChanges, loaded: readonly LoadedSend[]): void {
  const after = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  const before = new Map(loaded.flatMap(({ chains }) => chains.flat()).map((delivery) => [delivery.id, delivery]));
  for (const attempt of attempts) {
    const delivery = after.get(attempt.deliveryId);
    if (delivery !== undefined) {
      events.emit("attempt.ended", { delivery, attempt, dueAt: before.get(delivery.id)?.dueAt ?? null });
    }
  }
}
