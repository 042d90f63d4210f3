import { isRetryable } from "../foundation/errors.ts";
import { announceAlso, createdSignal } from "../inbox/index.ts";
import { declaredType } from "../notifications/index.ts";
import { nextTurn } from "../work/timing.ts";
import type { DeliveryContext } from "./context.ts";
import { decideDeliveries } from "./decide-deliveries.ts";
import type { FanOutPart } from "./fan-out-storage.ts";
import type { NewSend } from "./new-send.ts";
import { deliveriesOfPart, placedUsers } from "./plan-deliveries.ts";

/** What the notification of a part has already. */
const UNUSED: Omit<NewSend, "notification" | "scheduledAt" | "deliveries" | "inboxRecipients" | "throttles"> = {
  ...{ channel: "", fallbackDelayMs: 0, details: null, idempotency: null, actor: "" },
  inboxNeeds: "item",
  addresses: "own",
};

/**
 * Makes, decides and writes the deliveries of the next part of a large audience: of the tenant whose turn it is after `after`. Returns
 * the part's tenant, null if there is no part. One that cannot be written is put off, so that it holds up no others.
 */
export async function writeNextPart(context: DeliveryContext, after: string | undefined): Promise<string | null> {
  const { deliveries: storage, clock, lines } = context;
  const at = new Date(clock.now());
  const part = await storage.takePart(at, after);
  if (part === null) {
    return null;
  }
  const { tenant, id } = part.notification;
  try {
    await writePart(context, part, at);
  } catch (err) {
    if (isRetryable(err)) {
      throw err;
    }
    lines.warn({ err, tenant, notificationId: id }, "A part of a large audience could not be written. It is tried again in some seconds.");
    await storage.putOffPart(part, at);
  }
  return tenant;
}

async function writePart(context: DeliveryContext, part: FanOutPart, at: Date): Promise<void> {
  const { deliveries: storage } = context;
  const { scheduledAt, recipients, channel } = part;
  // Its deliveries are created now, whenever the notification was.
  const notification = { ...part.notification, createdAt: at };
  const { deliveries, questions, throttled } = await decideDeliveries(context, {
    notification: { ...notification, data: part.meta },
    declared: declaredType(context, notification.type, { declaredTypesOnly: false }),
    ...{ tenant: notification.tenant, ...deliveriesOfPart(context, part), scheduledAt, group: notification.group },
  });
  // Deciding and writing have a turn each: on SQLite, both together would hold up others for too long.
  await nextTurn();
  const entry: NewSend = {
    ...{ ...UNUSED, notification, scheduledAt, deliveries, throttles: null },
    inboxRecipients: scheduledAt === null && channel === null ? placedUsers(recipients, deliveries) : [],
  };
  const decided = (allowed: readonly boolean[]) => ({ ...entry, deliveries: throttled(allowed) });
  const written = { ...entry, throttles: questions.length === 0 ? null : { questions, decided } };
  const items = await storage.writePart(part, written, at);
  if (items !== null) {
    context.deliverDue();
    // What a throttle refuses may wait for a digest, too.
    if (questions.length > 0 || deliveries.some(({ digest }) => digest !== null)) {
      context.closeDigests();
    }
    context.publish(items.map((item) => createdSignal(notification, item)));
    announceAlso(context, items);
  }
}

/** Ends the fan-outs that are written, and those of notifications that have expired. */
export async function endFanOuts(context: Pick<DeliveryContext, "deliveries" | "clock" | "events">): Promise<void> {
  const { deliveries: storage, clock, events } = context;
  const at = new Date(clock.now());
  for (const { as, ...of } of await storage.endingFanOuts(at)) {
    const ended = await storage.endFanOut(of, { as }, at);
    if (ended !== null && ended.changed !== null) {
      events.emit("send.changed", ended.changed);
    }
  }
}
