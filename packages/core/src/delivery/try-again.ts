import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type ChainChange, due, type Settlement, settleChains } from "./chains.ts";
import { actorOf, type ChangeRequest, retryChain } from "./change-send.ts";
import { type DeliveryContext, settle } from "./context.ts";
import { chainOutcome, type Delivery, type Endpoint } from "./delivery.ts";
import type { ChainSelection, LoadedDelivery, SendState } from "./delivery-storage.ts";
import { ChainPages, isLargeSend } from "./large-sends.ts";
import { unknownSend } from "./read-sends.ts";

/** A request to try a send again, or one delivery of it. */
export interface AgainRequest extends ChangeRequest {
  /** Only the chain of this delivery. @default all */
  readonly deliveryId?: string;
}

/**
 * Tries again what failed of a send, on a fresh schedule, and makes due now what is tried again later. Endpoints that rest are tried at once. Throws
 * `INVALID_STATE` if there is nothing to try again. That a user was not connected is no failure.
 */
export async function tryAgain(context: DeliveryContext, request: AgainRequest): Promise<void> {
  const { tenant, id, deliveryId } = request;
  const by = { tenant, id, actor: actorOf(request) };
  using _call = await context.ready();
  if (!isUuid(id) || (await context.deliveries.findSend(tenant, id)) === null) {
    throw unknownSend(id);
  }
  const resting = new Map<string, Endpoint>();
  const decide = (chain: readonly LoadedDelivery[], send: SendState, now: Date) => {
    for (const { channel, recipient } of chain.filter((delivery) => isRetrying(delivery))) {
      resting.set(`${channel}\u0000${recipient}`, { channel, recipient });
    }
    return again(chain, send, now);
  };
  const isLarge = deliveryId === undefined && (await isLargeSend(context, by));
  const hasChanged = isLarge ? await new ChainPages(context, by).change("retried", decide) : await changeAll(context, request, decide);
  const hasOpened = await openEndpoints(context, [...resting.values()]);
  if (!hasChanged && !hasOpened) {
    throw new BelfryError(
      "INVALID_STATE",
      `Nothing of the notification ${id} can be tried again: nothing has failed, or waits for another attempt.`,
    );
  }
  context.deliverDue();
}

type DecideOnChain = (chain: readonly LoadedDelivery[], send: SendState, now: Date) => ChainChange | null;

/** Changes the chains of a send, or that of one delivery of it, and returns whether any changed. */
async function changeAll(context: DeliveryContext, request: AgainRequest, decide: DecideOnChain): Promise<boolean> {
  const { tenant, id, deliveryId } = request;
  if (deliveryId !== undefined && !isUuid(deliveryId)) {
    return false;
  }
  const selection: ChainSelection = deliveryId === undefined ? { kind: "send", tenant, id } : { kind: "deliveries", ids: [deliveryId] };
  const settlement = await settle(context, selection, (loaded, now) => {
    const own = loaded.filter(({ state }) => state.tenant === tenant && state.id === id.toLowerCase());
    return withLine(
      settleChains(own, now, (chain, send) => decide(chain, send, now)),
      request,
    );
  });
  return settlement !== null && settlement.changes.deliveries.length > 0;
}

function withLine(settlement: Settlement, request: AgainRequest): Settlement {
  const audit =
    settlement.changes.deliveries.length === 0 ? [] : [{ action: "retried", actor: actorOf(request), notificationId: request.id } as const];
  return { ...settlement, changes: { ...settlement.changes, audit } };
}

/** The change to a chain that is to be tried again; null for one that is left alone. */
function again(chain: readonly LoadedDelivery[], send: SendState, now: Date): ChainChange | null {
  if (chainOutcome(chain.map(({ status }) => status)) === "failed") {
    return chain.every(wasOffline) ? null : retryChain(chain, send, now);
  }
  const hurried = chain.map((delivery) => (isRetrying(delivery) && (delivery.dueAt ?? now) > now ? due(delivery, now) : delivery));
  return hurried.some((delivery, index) => delivery !== chain[index]) ? { chain: hurried } : null;
}

/** Whether an attempt of a delivery failed and another one follows. */
function isRetrying({ status, leaseOwner, attempt, attemptsBefore, dueAt }: Delivery): boolean {
  return status === "pending" && leaseOwner === null && attempt > attemptsBefore && dueAt !== null;
}

function wasOffline({ status, reason }: Delivery): boolean {
  return status !== "failed" || reason === "offline";
}

/** Lets endpoints that rest be tried at once, by whichever process. Returns whether any did rest. */
async function openEndpoints({ holds }: Pick<DeliveryContext, "holds">, endpoints: readonly Endpoint[]): Promise<boolean> {
  const resting = endpoints.length === 0 ? [] : await holds.circuitsOf(endpoints);
  for (const endpoint of resting) {
    await holds.closeCircuit(endpoint);
  }
  return resting.length > 0;
}
