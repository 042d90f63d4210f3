import type { Clock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import { announceAlso, type CreatedItem, createdSignal } from "../inbox/index.ts";
import { countUpTo, type Pending } from "../work/batch-queue.ts";
import { LaneQueue } from "../work/lane-queue.ts";
import { isAllUnderWay, type WaitingSend } from "./begin-at-once.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryStorage } from "./delivery-storage.ts";
import type { NewFanOut } from "./fan-out-storage.ts";
import type { NewSend, SendCreated } from "./new-send.ts";
import { type ParsedSend, parseSend, type SendRequest, viewOf } from "./parse-send.ts";
import { getSend, sendFromJson } from "./read-sends.ts";
import type { Send } from "./send.ts";

/** Bounds how long one transaction holds a synchronous database. */
const BATCH = { most: 128, mostWeight: 1_000 };

/** A notification with deliveries that was created, and where its items are. */
export interface CreatedSend {
  readonly send: Send;
  /** Empty for the repetition of an earlier call, and where the items come later. */
  readonly items: readonly CreatedItem[];
}

/** Creates a notification with deliveries in its own transaction and starts them. Resolves after the commit. */
export async function createSend(context: DeliveryContext, request: SendRequest): Promise<CreatedSend> {
  const parsed = await parseSend(context, request);
  using _call = await context.ready();
  const waiting: WaitingSend = { plain: parsed.entry, withTurns: null };
  let created: SendCreated | null = null;
  try {
    created = await write(context, waiting);
    const send = await answer(context, { ...parsed, entry: waiting.withTurns?.send ?? waiting.plain }, created);
    return { send, items: created.kind === "created" ? created.items : [] };
  } finally {
    waiting.withTurns?.settle(created);
  }
}

/** One with a large audience takes long to write, and one for everyone may wait for others: they hold up no others. */
async function write({ sendWriter, deliveries, clock }: DeliveryContext, waiting: WaitingSend): Promise<SendCreated> {
  const { plain } = waiting;
  if (plain.fanOut === undefined && plain.everyone === undefined) {
    return sendWriter.write(waiting);
  }
  const [created] = await deliveries.createSends([plain], new Date(clock.now()));
  return created as SendCreated;
}

/** Writes a checked send inside the host's transaction. It is delivered and announced after the commit. */
export function sendWithin<Tx, Written extends void | Promise<void>>(
  context: DeliveryContext<Tx, Written>,
  parsed: ParsedSend,
  tx: Tx,
): Written {
  return context.deliveries.createSendWithin(tx, parsed.entry, (created) => {
    if (created.kind === "created") {
      context.deliverDue();
      announceSend(context, created.throttled ?? parsed.entry, created.items);
    }
  });
}

/**
 * Writes sends that arrive at the same time in one transaction. One to an inbox, or for a throttle, that a host's transaction holds
 * holds up no others. It takes no turns of the worker while it waits, either: others need them, and its lease would run out.
 */
export function sendWriter(
  deliveries: DeliveryStorage,
  clock: Clock,
  reserveTurns: DeliveryContext["reserveTurns"],
): LaneQueue<WaitingSend, SendCreated> {
  const now = () => new Date(clock.now());
  const writeFree = async (sends: readonly WaitingSend[]): Promise<readonly (SendCreated | null)[]> => {
    for (const send of sends) {
      // After a failure, it keeps those that it has: it may have been written with them.
      send.withTurns ??= reserveTurns(send.plain);
    }
    const written = await deliveries.createFreeSends(
      sends.map(({ plain, withTurns }) => withTurns?.send ?? plain),
      now(),
    );
    for (const [index, send] of sends.entries()) {
      if (written[index] === null) {
        send.withTurns?.settle(null);
        send.withTurns = null;
      }
    }
    return written;
  };
  return new LaneQueue<WaitingSend, SendCreated>({
    count: countBatch,
    write: (sends, { skipBusy }) =>
      skipBusy
        ? writeFree(sends)
        : deliveries.createSends(
            sends.map(({ plain }) => plain),
            now(),
          ),
    laneOf: ({ plain: { notification, inboxRecipients, throttles } }) => {
      const keys = (throttles?.questions ?? []).map(({ userId, type, channel }) => [userId, type, channel]);
      return JSON.stringify([notification.tenant, inboxRecipients, keys]);
    },
  });
}

async function answer(context: DeliveryContext, { entry, view }: ParsedSend, created: SendCreated): Promise<Send> {
  if (created.kind === "created") {
    const written = created.throttled ?? entry;
    if (!isAllUnderWay(written, created)) {
      context.deliverDue();
    }
    announceSend(context, written, created.items);
    return viewOf(view, written);
  }
  if (created.bodyHash !== entry.idempotency?.bodyHash) {
    throw new BelfryError(
      "IDEMPOTENCY_KEY_REUSED",
      `The idempotency key ${JSON.stringify(entry.idempotency?.key)} was used for another notification. Use a new key for each notification.`,
    );
  }
  // An answer that named somebody who was erased is gone; the send may be, too.
  return created.response === null
    ? getSend(context, entry.notification.tenant, created.notificationId ?? "")
    : { ...sendFromJson(created.response), actor: view.actor };
}

function announceSend(
  context: Pick<DeliveryContext, "publish" | "events" | "closeDigests" | "fanOut" | "dueItems" | "broadcast">,
  send: NewSend,
  items: Extract<SendCreated, { kind: "created" }>["items"],
): void {
  const { notification, deliveries, fanOut, everyone } = send;
  const { tenant, id, type } = notification;
  if (deliveries.some(({ digest }) => digest !== null)) {
    context.closeDigests();
  }
  if (everyone !== undefined) {
    context.broadcast(notification.tenant);
  } else if (fanOut !== undefined) {
    context.fanOut();
  }
  context.publish(items.map((item) => createdSignal(notification, item)));
  announceAlso(context, items);
  context.events.emit("notification.created", {
    tenant,
    id,
    type,
    notification,
    recipients: recipientsOf(send),
  });
}

/** How many get it; null where its subscribers are still to be found. */
function recipientsOf({
  deliveries,
  fanOut,
  audience,
  everyone,
}: Partial<Pick<NewSend, "fanOut" | "audience" | "everyone">> & Pick<NewSend, "deliveries">): number | null {
  if (everyone !== undefined) {
    return fanOut === undefined ? 0 : null;
  }
  if (fanOut === undefined) {
    return new Set(deliveries.map(({ recipient }) => recipient)).size;
  }
  return (audience?.source ?? null) === null ? countOf(fanOut) : null;
}

function countOf({ users, addresses }: NewFanOut): number {
  return users.length + [...addresses.values()].reduce((sum, { length }) => sum + length, 0);
}

function countBatch(queue: readonly Pending<WaitingSend, SendCreated>[]): number {
  const keys = new Set<string>();
  return countUpTo(queue, BATCH, ({ plain: { notification, idempotency, deliveries } }) => {
    const key = idempotency && JSON.stringify([notification.tenant, idempotency.key]);
    if (key !== null && keys.has(key)) {
      // The second of two with one key is answered by what the first one wrote.
      return Number.POSITIVE_INFINITY;
    }
    if (key !== null) {
      keys.add(key);
    }
    return deliveries.length;
  });
}
