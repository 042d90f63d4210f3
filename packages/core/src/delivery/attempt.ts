import { isRetryable, textOf } from "../foundation/errors.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import {
  declaredType,
  type NotificationTypes,
  RENDERED,
  renderAgain,
  renderContents,
  rulesOfType,
  type StoredTexts,
  type TaskContents,
} from "../notifications/index.ts";
import { OutOfTime, type TimeLimit, withinTime } from "../work/timing.ts";
import type { Addresses, Reached, SharedAddresses } from "./addresses.ts";
import type { Channel, DeliveryOutcome, DeliveryTask, TaskDigest } from "./channel.ts";
import type { DeliveryContext } from "./context.ts";
import type { UnreachedReason } from "./delivery.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { Ruling, UnbegunWait } from "./delivery-transitions.ts";
import type { StoredDevice } from "./device.ts";
import type { StoredBundle } from "./digest-storage.ts";
import { digestTexts, isShownAsDigest } from "./digest-texts.ts";
import { type HardBounce, hardBounceOf } from "./hard-bounces.ts";
import { isOutcome, noOutcome } from "./outcomes.ts";
import type { Rulings } from "./ruling.ts";
import { placeOf, type SuppressedAddresses } from "./suppressed-addresses.ts";
import type { Place } from "./suppressions-storage.ts";
import type { ToDevices } from "./to-devices.ts";

/** What a channel is to deliver for a claimed delivery. */
export function taskOf(
  { delivery, notification, roomId, meta }: DeliveryContent,
  { address, locale }: Reached,
  { title, message, url, contents = null, unsubscribeUrl = null, digest = null }: TaskTexts,
): DeliveryTask {
  return {
    id: delivery.id,
    notificationId: notification.id,
    tenant: delivery.tenant,
    recipient: delivery.recipient,
    address,
    locale,
    roomId,
    digest,
    group: notification.group,
    unread: null,
    type: notification.type,
    priority: notification.priority,
    title,
    message,
    data: digest === null ? meta : {},
    url,
    contents,
    unsubscribeUrl,
    actions: digest === null ? notification.actions : null,
    isFallback: delivery.isFallback,
    attempt: delivery.attempt,
    createdAt: notification.createdAt,
  };
}

/** The parts that an attempt uses. */
export interface AttemptContext extends Omit<TimeLimit, "timeoutMs"> {
  readonly addresses: Addresses;
  readonly rulings: Pick<Rulings, "on">;
  readonly shared: Pick<SharedAddresses, "ruling">;
  readonly suppressed: Pick<SuppressedAddresses, "ruling">;
  readonly toDevices: Pick<ToDevices, "of" | "unreadOf" | "deliver">;
  readonly types: NotificationTypes;
  readonly links: DeliveryContext["unsubscribeLinks"];
  /** The digest that the delivery carries, or null. */
  readonly bundle: StoredBundle | null;
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

/** The texts of a task, and what else its type says over the channel. */
interface TaskTexts extends StoredTexts {
  readonly contents?: TaskContents | null;
  readonly unsubscribeUrl?: string | null;
  readonly digest?: TaskDigest | null;
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
export async function attempt(channel: Channel, claimed: ClaimedDelivery, context: AttemptContext): Promise<AttemptResult> {
  const { name, timeoutMs } = channel;
  const progress: Progress = { step: "directory", isSplit: false, place: null };
  const work = (ends: AbortSignal) => deliverWithin({ channel, claimed, context, progress }, ends);
  try {
    const outcome = await withinTime(work, { timeoutMs, clock: context.clock, cancellation: context.cancellation });
    const { step, isSplit, place } = progress;
    return "outcome" in outcome
      ? { ruling: outcome, isSplit }
      : { outcome, wasHandedIn: step === "channel", reason: null, bounced: hardBounceOf(outcome, place), isSplit };
  } catch (error) {
    const { step, isSplit } = progress;
    if (step !== "channel" && isRetryable(error)) {
      return { unbegun: error, isSplit };
    }
    const late = error instanceof OutOfTime && step !== "channel" ? TOO_LATE[step](timeoutMs) : null;
    const outcome = { status: "failed", transient: true, provider: name, error: late ?? textOf(error) } as const;
    return { outcome, wasHandedIn: step === "channel", reason: null, isSplit };
  }
}

/** A delivery with what it delivers. */
export type DeliveryContent = Pick<ClaimedDelivery, "delivery" | "notification" | "roomId" | "meta">;

/** The parts that texts are rendered with. */
type RenderingContext = Pick<AttemptContext, "clock" | "types" | "links" | "bundle"> & Pick<TimeLimit, "timeoutMs">;

/** How far an attempt got. */
interface Progress {
  step: keyof typeof TOO_LATE | "channel";
  isSplit: boolean;
  /** What its channel was called for; null before that, and for devices, which nobody can suppress. */
  place: Place | null;
}

interface Attempting {
  readonly channel: Channel;
  readonly claimed: ClaimedDelivery;
  readonly context: AttemptContext;
  readonly progress: Progress;
}

async function deliverWithin({ channel, claimed, context, progress }: Attempting, ends: AbortSignal): Promise<DeliveryOutcome | Ruling> {
  let reached = context.addresses.of(claimed.delivery, channel);
  if (reached instanceof Promise) {
    reached = await reached;
    // A directory that answers too late must not have anything delivered: another attempt may be under way.
    ends.throwIfAborted();
  }
  if ("status" in reached || "outcome" in reached) {
    return reached;
  }
  progress.step = "decision";
  const suppressed = await suppressedRuling({ channel, claimed, context }, reached);
  ends.throwIfAborted();
  if (suppressed !== null) {
    return suppressed;
  }
  if (isDecidedAgain(claimed, context)) {
    const ruling = await rulingOn(claimed, reached, context);
    ends.throwIfAborted();
    if (ruling !== null) {
      return ruling;
    }
  }
  const devices = await devicesFor({ claimed, context, progress }, reached);
  if ("outcome" in devices) {
    return devices;
  }
  ends.throwIfAborted();
  let texts: TaskTexts = claimed.notification;
  if (claimed.notification.rendered !== null || context.links !== null || context.bundle !== null) {
    progress.step = "rendering";
    texts = await textsFor(claimed, reached, { ...context, timeoutMs: channel.timeoutMs });
    ends.throwIfAborted();
  }
  let unread: number | null = null;
  if (devices.length > 0) {
    progress.step = "unread";
    unread = await context.toDevices.unreadOf(claimed.delivery);
    ends.throwIfAborted();
  }
  progress.step = "channel";
  progress.place = devices.length === 0 ? placeOf(channel, reached.address) : null;
  const made = taskOf(claimed, reached, texts);
  const task = unread === null ? made : { ...made, unread };
  const outcome = await (devices.length === 0 ? channel.deliver(task, ends) : context.toDevices.deliver(channel, { task, devices }, ends));
  return isOutcome(outcome) ? outcome : noOutcome(channel, outcome);
}

/** What stands against every attempt to the address, or null. A device is no address that anybody could suppress. */
function suppressedRuling(
  { channel, claimed: { delivery, hasSuppressed }, context }: Omit<Attempting, "progress">,
  { address, devices }: Reached,
): MaybePromise<Ruling | null> {
  const { id, tenant } = delivery;
  return devices === undefined ? context.suppressed.ruling({ id, tenant, channel, address, hasSuppressed }) : null;
}

/** The devices that an attempt is for; none where there is an address. */
function devicesFor(
  { claimed, context, progress }: Omit<Attempting, "channel">,
  { devices = [] }: Reached,
): MaybePromise<readonly StoredDevice[] | Ruling> {
  // It is said before it is done: whoever runs out of time does not hear whether it was.
  progress.isSplit = devices.length > 1;
  return devices.length === 0 ? devices : context.toDevices.of(claimed, devices, context.bundle !== null);
}

/**
 * Whether something may stand against an attempt that did not when its delivery was written. What is in a digest was decided when that
 * was rendered.
 */
function isDecidedAgain({ delivery, state }: ClaimedDelivery, { bundle }: AttemptContext): boolean {
  return bundle === null && (delivery.recipientKind === "user" || state.addresses === "shared");
}

/** What stands against the attempt, or null. */
async function rulingOn(
  claimed: ClaimedDelivery,
  { address, timeZone, devices }: Reached,
  context: AttemptContext,
): Promise<Ruling | null> {
  const isOfUser = claimed.delivery.recipientKind === "user";
  const ofUser = isOfUser ? await context.rulings.on(claimed, { timeZone }) : null;
  // A device is one user's alone.
  return ofUser ?? (devices === undefined ? await context.shared.ruling(claimed, address) : null);
}

/** The texts in the recipient's language: what functions of the type make is made anew, with what the type says over the channel. */
export async function textsFor(
  { delivery, notification, meta: data }: DeliveryContent,
  { locale }: Reached,
  { clock, types, links, timeoutMs, bundle }: RenderingContext,
): Promise<TaskTexts> {
  const { type, rendered } = notification;
  const { channel, recipient, tenant } = delivery;
  const user = delivery.recipientKind === "user" ? { id: recipient, tenant } : null;
  const owner = { tenant, userId: recipient, channel };
  if (bundle !== null && isShownAsDigest(types, bundle)) {
    const cameBy = bundle.shown.map((member) => ({ topic: member.topic, group: member.notification.group }));
    const subject = { ...owner, types: bundle.types, plan: bundle.digest.plan, cameBy };
    const unsubscribeUrl = (await links?.linkForDigest(subject)) ?? null;
    return { ...(await digestTexts(bundle, { types, clock, locale, timeoutMs, unsubscribeUrl })), unsubscribeUrl };
  }
  const cameBy = [{ topic: delivery.topic, group: notification.group }];
  const unsubscribeUrl = user && links ? await links.linkFor({ ...owner, type, cameBy }) : null;
  const declared = declaredType({ types }, type, { declaredTypesOnly: false });
  const context = { clock, locale, timeoutMs };
  const texts = await renderAgain(context, { notification, declared, data });
  if (((rendered ?? 0) & RENDERED.contents) === 0) {
    return { ...texts, unsubscribeUrl };
  }
  const source = { data, locale, user, unsubscribeUrl };
  const made = await renderContents(context, { type, channel, declared: rulesOfType(declared, channel), source });
  const { title = texts.title, message = texts.message, url = texts.url, ...contents } = made;
  return { title, message, url, contents: Object.keys(contents).length === 0 ? null : contents, unsubscribeUrl };
}
