import { obeysChoices, type PreferencesReader, wantsItem } from "../decisions/index.ts";
import type { DeliveryEvents, Directory } from "../delivery/index.ts";
import type { BaseContext, Emits, Owner } from "../foundation/context.ts";
import type { RepeatedLines } from "../foundation/repeated-lines.ts";
import { announceAlso, createdSignal, type InboxEvents, type InboxSignal } from "../inbox/index.ts";
import { declaredType, INBOX_CHANNEL, type NotificationTypes } from "../notifications/index.ts";
import { Cancellation, withinTime } from "../work/timing.ts";
import type { Broadcast, BroadcastStorage, MissedBroadcasts } from "./broadcast-storage.ts";

/** The parts that broadcasts use. */
export interface BroadcastContext<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> extends BaseContext {
  readonly broadcasts: BroadcastStorage<Tx, Written>;
  readonly directory: Directory | null;
  readonly preferences: PreferencesReader;
  readonly types: NotificationTypes;
  readonly events: Emits<InboxEvents & DeliveryEvents>;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly InboxSignal[]): void;
  /** Makes the background work look when the next item is due. Call it after each commit that changes that. */
  dueItems(): void;
  /** Has every process place a tenant's broadcasts for those who are connected to it. Call it only after the commit. */
  placeConnected(tenant: string): void;
  /** Warns of what may happen with every page. */
  readonly lines: RepeatedLines;
  /** Starts writing the parts of large audiences in the background. Call it only after the commit. */
  fanOut(): void;
  /** Reads the next users of broadcasts in the background, now that those before are written. */
  readOn(): void;
  /** Looks in the background which broadcasts are due, and whose users are to be read. Call it only after the commit. */
  wakeBroadcasts(): void;
  /** Places broadcasts in these inboxes in the background. */
  placeLater(owners: readonly Owner[]): void;
}

type PlacingContext = Pick<
  BroadcastContext,
  "broadcasts" | "directory" | "preferences" | "types" | "events" | "publish" | "dueItems" | "clock" | "logger" | "lines"
>;

/** How many broadcasts one step places: few enough that whoever reads the inbox does not notice. */
const PLACED_AT_ONCE = 100;

/** How long a read waits for the directory to say since when the host has known a user. */
const LOOK_UP_MS = 2_000;

/** How far broadcasts were placed: later ones may wait; or another transaction holds the inbox, or the directory fails, and nothing was done. */
export type Placed = "all" | "more" | "held";

/** Does the same as {@link placeBroadcasts}, and begins an inbox that has not begun. */
export async function beginAndPlace(context: PlacingContext, owner: Owner): Promise<Placed> {
  const placed = await placeBroadcasts(context, owner);
  if (placed !== null) {
    return placed;
  }
  await context.broadcasts.begin(owner);
  return (await placeBroadcasts(context, owner)) ?? "held";
}

/** Places the next broadcasts that an inbox is to get, and tells everybody. Null for an inbox that has not begun. */
export async function placeBroadcasts(context: PlacingContext, owner: Owner): Promise<Placed | null> {
  const { broadcasts, clock } = context;
  const at = new Date(clock.now());
  const missed = await missedBy(context, owner, at);
  if (missed === null || missed === "held") {
    return missed;
  }
  if (missed.upTo === (missed.placedUpTo ?? 0)) {
    return "all";
  }
  const { placedUpTo, beganAfter, upTo, isMore } = missed;
  const wanted = await wantedBy(context, owner, missed.broadcasts);
  const numbers = wanted.map(({ number }) => number);
  const placed = await broadcasts.place(owner, { placedUpTo, beganAfter, upTo, numbers, at });
  if (placed === null) {
    return "held";
  }
  const byNumber = new Map(wanted.map(({ number, notification }) => [number, notification]));
  context.publish(
    placed.flatMap(({ number, item }) => {
      const notification = byNumber.get(number);
      return notification === undefined ? [] : [createdSignal(notification, item)];
    }),
  );
  announceAlso(
    context,
    placed.map(({ item }) => item),
  );
  if (isMore && missed.broadcasts.length < PLACED_AT_ONCE) {
    // Those were the standing ones from before the inbox began. What went out since then is placed at once, too.
    return placeBroadcasts(context, owner);
  }
  return isMore ? "more" : "all";
}

/**
 * What an inbox is to get next. The host is asked once since when it has known the user: what went out later is for them. Until it answers,
 * nothing is placed; the inbox is read and followed as if another transaction held it.
 */
async function missedBy(context: PlacingContext, owner: Owner, at: Date): Promise<MissedBroadcasts | "held" | null> {
  const { broadcasts, lines } = context;
  const missed = await broadcasts.missed(owner, at, { limit: PLACED_AT_ONCE, joinedAt: null });
  if (missed === null || missed.placedUpTo !== null || missed.beganAfter === 0) {
    return missed;
  }
  let joinedAt: Date | null;
  try {
    joinedAt = await joinedOf(context, owner);
  } catch (err) {
    const { tenant, userId } = owner;
    lines.warn(
      { err, tenant, userId },
      "The directory could not say since when it has known a user. It is asked again before broadcasts are placed.",
    );
    return "held";
  }
  return joinedAt === null ? missed : await broadcasts.missed(owner, at, { limit: PLACED_AT_ONCE, joinedAt });
}

async function joinedOf({ directory, clock }: PlacingContext, { tenant, userId }: Owner): Promise<Date | null> {
  if (directory === null) {
    return null;
  }
  const limit = { clock, timeoutMs: LOOK_UP_MS, cancellation: new Cancellation() };
  const contact = (await withinTime(async () => directory([userId], { tenant }), limit)).get(userId);
  // Directories may be written in JavaScript.
  const joinedAt: unknown = contact?.joinedAt;
  return joinedAt instanceof Date && !Number.isNaN(joinedAt.getTime()) ? joinedAt : null;
}

/** The broadcasts that are for a user, and that the user has not switched off. */
async function wantedBy({ preferences, types }: PlacingContext, owner: Owner, all: readonly Broadcast[]): Promise<readonly Broadcast[]> {
  const { tenant, userId } = owner;
  const others = all.filter(({ except }) => !except.includes(userId));
  const asked = others.map((broadcast) => {
    const declared = declaredType({ types }, broadcast.notification.type, { declaredTypesOnly: false });
    return { broadcast, declared: declared !== undefined && obeysChoices(declared, INBOX_CHANNEL) ? declared : null };
  });
  if (asked.every(({ declared }) => declared === null)) {
    return others;
  }
  const own = (await preferences.of(tenant, [userId]))(userId);
  return asked
    .filter(({ broadcast, declared }) => declared === null || wantsItem(broadcast.notification, declared, own))
    .map(({ broadcast }) => broadcast);
}
