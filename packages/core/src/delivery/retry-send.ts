import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { announce } from "./announce.ts";
import { NOTHING } from "./cancel-send.ts";
import { actorOf, type ChangeRequest } from "./change-request.ts";
import type { DeliveryContext } from "./context.ts";
import { chainOutcome, type Delivery, INBOX_CHANNEL } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend, SendState } from "./delivery-storage.ts";
import { getSend, unknownSend } from "./read-sends.ts";
import type { Send } from "./send.ts";
import { type ChainChange, due, type Settlement, settleChains } from "./settle-chains.ts";

/** Retries the failed chains of a send from their primary delivery, on a fresh schedule. */
export async function retrySend(context: DeliveryContext, request: ChangeRequest): Promise<Send> {
  const { tenant, id } = request;
  const actor = actorOf(request);
  using _call = await context.ready();
  const settlement = isUuid(id) ? await retry(context, { tenant, id, actor }) : null;
  if (settlement === null) {
    throw unknownSend(id);
  }
  if (typeof settlement === "string") {
    throw new BelfryError("INVALID_STATE", settlement);
  }
  announce(context, settlement);
  const send = await getSend(context, tenant, id);
  context.deliverDue();
  return send;
}

async function retry(context: DeliveryContext, { tenant, id, actor }: Required<ChangeRequest>): Promise<Settlement | string | null> {
  let result: Settlement | string | null = null;
  await context.deliveries.settle({ kind: "send", tenant, id }, new Date(context.clock.now()), (loaded, now) => {
    result = retryChains(loaded, now, { id, actor });
    return result === null || typeof result === "string" ? NOTHING : result.changes;
  });
  return result;
}

/** Makes the failed chains of a loaded send pending again: null if there is no such send, a sentence if nothing of it failed. */
export function retryChains(
  loaded: readonly LoadedSend[],
  now: Date,
  { id, actor }: { readonly id: string; readonly actor: string },
): Settlement | string | null {
  const [send] = loaded;
  if (send === undefined) {
    return null;
  }
  const { status } = send.state;
  if (status !== "failed" && status !== "partial") {
    return `The notification ${id} cannot be retried: it is ${status}, neither failed nor partial.`;
  }
  const settlement = settleChains(loaded, now, (chain, state) => retryChain(chain, state, now));
  return { ...settlement, changes: { ...settlement.changes, audit: [{ action: "retried", actor, notificationId: id }] } };
}

function retryChain(chain: readonly LoadedDelivery[], { fallbackDelayMs }: SendState, now: Date): ChainChange | null {
  if (chainOutcome(chain.map(({ status }) => status)) !== "failed") {
    return null;
  }
  const [primary, ...fallbacks] = chain;
  if (primary === undefined) {
    return null;
  }
  const waitsForReader = primary.channel === INBOX_CHANNEL && fallbackDelayMs > 0;
  const waiting = (delivery: Delivery): Delivery => ({
    ...fresh(delivery, now),
    status: "waiting",
    dueAt: waitsForReader ? new Date(now.getTime() + fallbackDelayMs) : null,
  });
  return {
    chain: [fresh(primary, now), ...fallbacks.map(waiting)],
    // The attempt about to run counts already.
    shownAttempts: primary.attempt + 1,
  };
}

function fresh(delivery: Delivery, now: Date): Delivery {
  return { ...due(delivery, now), attemptsBefore: delivery.attempt };
}
