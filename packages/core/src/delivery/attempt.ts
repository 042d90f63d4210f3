import { isRetryable, textOf } from "../foundation/errors.ts";
import { isThenable, type MaybePromise } from "../foundation/maybe-promise.ts";
import type { NotificationTypes } from "../notifications/index.ts";
import { type Cancellation, OutOfTime, type TimeLimit, withinTime } from "../work/timing.ts";
import type { Addresses, Reached, SharedAddresses } from "./addresses.ts";
import type { Channel, DeliveryOutcome, DeliveryTask } from "./channel.ts";
import type { DeliveryContext } from "./context.ts";
import type { UnreachedReason } from "./delivery.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { Ruling, UnbegunWait } from "./delivery-transitions.ts";
import type { StoredDevice } from "./device.ts";
import type { StoredBundle } from "./digest-storage.ts";
import { type HardBounce, hardBounceOf } from "./hard-bounces.ts";
import { isOutcome, noOutcome } from "./outcomes.ts";
import type { Rulings } from "./ruling.ts";
import { placeOf, type SuppressedAddresses } from "./suppressed-addresses.ts";
import type { Place } from "./suppressions-storage.ts";
import { type TaskTexts, taskOf, textsFor } from "./task-of.ts";
import type { ToDevices } from "./to-devices.ts";

/** The parts that attempts use. */
export interface AttemptContext extends Pick<TimeLimit, "clock"> {
  readonly addresses: Pick<Addresses, "of">;
  readonly rulings: Pick<Rulings, "on">;
  readonly shared: Pick<SharedAddresses, "ruling">;
  readonly suppressed: Pick<SuppressedAddresses, "ruling">;
  readonly toDevices: Pick<ToDevices, "of" | "unreadOf" | "deliver">;
  readonly types: NotificationTypes;
  readonly links: DeliveryContext["unsubscribeLinks"];
}

/** A claimed delivery whose attempt begins. */
export interface BegunDelivery {
  readonly claimed: ClaimedDelivery;
  /** The digest that the delivery carries, or null. */
  readonly bundle: StoredBundle | null;
  /** Ends the attempt early. */
  readonly cancellation: Cancellation;
}

/**
 * The result of an attempt, and whether its channel was called; or why it was not: what stands against it, or the error of a database that
 * was out of reach. `isSplit` says that other devices may have deliveries in its chain.
 */
export type AttemptResult =
  | {
      readonly outcome: DeliveryOutcome;
      readonly wasHandedIn: boolean;
      readonly reason: UnreachedReason | null;
      /** What its channel said of the address, if nobody is there for good. @default nothing */
      readonly bounced?: HardBounce | null;
      readonly isSplit?: boolean;
    }
  | { readonly ruling: Ruling | UnbegunWait; readonly isSplit?: boolean }
  | { readonly unbegun: unknown; readonly isSplit?: boolean };

/** The result of an attempt that did not come to its channel, and would not come there later either. */
export function notHandedIn(provider: string, error: string): AttemptResult {
  return { outcome: { status: "failed", transient: false, provider, error }, reason: null, wasHandedIn: false };
}

/** The steps of an attempt before its channel, and what is said of one that takes too long. */
const TOO_LATE = {
  decision: (timeoutMs: number) => `The preferences of the user and the condition of the type gave no answer within ${timeoutMs} ms.`,
  directory: (timeoutMs: number) => `The host's directory gave no answer within ${timeoutMs} ms.`,
  rendering: (timeoutMs: number) => `The functions of the type rendered nothing within ${timeoutMs} ms.`,
  unread: (timeoutMs: number) => `The database did not say what the user has not read within ${timeoutMs} ms.`,
} as const;

/**
 * Finds the recipient's address, which may be suppressed, decides once more whether a user wants it, renders the texts in the recipient's language and has `channel` deliver once, all within the
 * channel's time; whatever goes wrong is an outcome. A database that was out of reach before the channel was called is no failure of the channel:
 * the attempt has not begun.
 */
export async function attempt(channel: Channel, begun: BegunDelivery, context: AttemptContext): Promise<AttemptResult> {
  const { claimed, bundle, cancellation } = begun;
  const attempting: Attempting = { channel, claimed, bundle, context, step: "directory", isSplit: false, place: null };
  const limit = { timeoutMs: channel.timeoutMs, clock: context.clock, cancellation };
  try {
    return resultOf(attempting, await withinTime((ends) => deliverWithin(attempting, ends), limit));
  } catch (error) {
    return failureOf(attempting, error);
  }
}

function resultOf({ channel, step, isSplit, place }: Attempting, answer: OutcomeOrRuling): AttemptResult {
  const wasHandedIn = step === "channel";
  if (!wasHandedIn && "outcome" in answer) {
    return { ruling: answer, isSplit };
  }
  const outcome = isOutcome(answer) ? answer : noOutcome(channel, answer);
  return { outcome, wasHandedIn, reason: null, bounced: hardBounceOf(outcome, place), isSplit };
}

function failureOf({ channel: { name, timeoutMs }, step, isSplit }: Attempting, error: unknown): AttemptResult {
  if (step !== "channel" && isRetryable(error)) {
    return { unbegun: error, isSplit };
  }
  const late = error instanceof OutOfTime && step !== "channel" ? TOO_LATE[step](timeoutMs) : null;
  const outcome = { status: "failed", transient: true, provider: name, error: late ?? textOf(error) } as const;
  return { outcome, wasHandedIn: step === "channel", reason: null, isSplit };
}

/** An attempt, and how far it got. */
interface Attempting extends Omit<BegunDelivery, "cancellation"> {
  readonly channel: Channel;
  readonly context: AttemptContext;
  step: keyof typeof TOO_LATE | "channel";
  isSplit: boolean;
  /** What its channel was called for; null before that, and for devices, which nobody can suppress. */
  place: Place | null;
}

type OutcomeOrRuling = DeliveryOutcome | Ruling;

/**
 * Takes the next step of an attempt with what the one before it found: at once, if that is there, since a promise for each step would cost more
 * than the steps. What was waited for may have come too late: nothing must be delivered then, as another attempt may be under way.
 */
function next<Found>(
  found: MaybePromise<Found>,
  ends: AbortSignal,
  step: (found: Found) => MaybePromise<OutcomeOrRuling>,
): MaybePromise<OutcomeOrRuling> {
  if (!isThenable(found)) {
    return step(found);
  }
  return Promise.resolve(found).then((value) => {
    ends.throwIfAborted();
    return step(value);
  });
}

function deliverWithin(attempting: Attempting, ends: AbortSignal): MaybePromise<OutcomeOrRuling> {
  const { channel, claimed, context } = attempting;
  return next(context.addresses.of(claimed.delivery, channel), ends, (reached) =>
    "status" in reached || "outcome" in reached ? reached : deliverTo(attempting, reached, ends),
  );
}

function deliverTo(attempting: Attempting, reached: Reached, ends: AbortSignal): MaybePromise<OutcomeOrRuling> {
  attempting.step = "decision";
  return next(suppressedRuling(attempting, reached), ends, (suppressed) =>
    suppressed !== null || !isDecidedAgain(attempting)
      ? (suppressed ?? deliverDecided(attempting, reached, ends))
      : next(rulingOn(attempting, reached), ends, (ruling) => ruling ?? deliverDecided(attempting, reached, ends)),
  );
}

function deliverDecided(attempting: Attempting, reached: Reached, ends: AbortSignal): MaybePromise<OutcomeOrRuling> {
  return next(devicesFor(attempting, reached), ends, (devices) =>
    "outcome" in devices
      ? devices
      : next(textsOf(attempting, reached), ends, (texts) => {
          const task = taskOf(attempting.claimed, reached, texts);
          return devices.length === 0 ? deliverTask(attempting, task, ends) : deliverToDevices(attempting, { task, devices }, ends);
        }),
  );
}

function deliverTask(attempting: Attempting, task: DeliveryTask, ends: AbortSignal): Promise<DeliveryOutcome> {
  const { channel } = attempting;
  attempting.step = "channel";
  attempting.place = placeOf(channel, task.address);
  return channel.deliver(task, ends);
}

function deliverToDevices(
  attempting: Attempting,
  { task, devices }: { readonly task: DeliveryTask; readonly devices: readonly StoredDevice[] },
  ends: AbortSignal,
): MaybePromise<OutcomeOrRuling> {
  const { channel, claimed, context } = attempting;
  attempting.step = "unread";
  return next(context.toDevices.unreadOf(claimed.delivery), ends, (unread) => {
    attempting.step = "channel";
    return context.toDevices.deliver(channel, { task: { ...task, unread }, devices }, ends);
  });
}

/** What stands against every attempt to the address, or null. A device is no address that anybody could suppress. */
function suppressedRuling({ channel, claimed, context }: Attempting, { address, devices }: Reached): MaybePromise<Ruling | null> {
  const { id, tenant } = claimed.delivery;
  return devices === undefined ? context.suppressed.ruling({ id, tenant, channel, address, hasSuppressed: claimed.hasSuppressed }) : null;
}

const NO_DEVICES: readonly StoredDevice[] = [];

/** The devices that an attempt is for; none where there is an address. */
function devicesFor(attempting: Attempting, { devices = NO_DEVICES }: Reached): MaybePromise<readonly StoredDevice[] | Ruling> {
  const { claimed, context, bundle } = attempting;
  // It is said before it is done: whoever runs out of time does not hear whether it was.
  attempting.isSplit = devices.length > 1;
  return devices.length === 0 ? devices : context.toDevices.of(claimed, devices, bundle !== null);
}

/**
 * Whether something may stand against an attempt that did not when its delivery was written. What is in a digest was decided when that
 * was rendered.
 */
function isDecidedAgain({ claimed: { delivery, state }, bundle }: Attempting): boolean {
  return bundle === null && (delivery.recipientKind === "user" || state.addresses === "shared");
}

/** What stands against the attempt, or null. */
async function rulingOn({ claimed, context }: Attempting, { address, timeZone, devices }: Reached): Promise<Ruling | null> {
  const isOfUser = claimed.delivery.recipientKind === "user";
  const ofUser = isOfUser ? await context.rulings.on(claimed, { timeZone }) : null;
  // A device is one user's alone.
  return ofUser ?? (devices === undefined ? await context.shared.ruling(claimed, address) : null);
}

/** The texts to deliver: usually those that are stored. */
function textsOf(attempting: Attempting, reached: Reached): MaybePromise<TaskTexts> {
  const { channel, claimed, context, bundle } = attempting;
  const { notification } = claimed;
  if (notification.rendered === null && context.links === null && bundle === null) {
    return notification;
  }
  attempting.step = "rendering";
  const { clock, types, links } = context;
  return textsFor(claimed, reached, { clock, types, links, bundle, timeoutMs: channel.timeoutMs });
}
