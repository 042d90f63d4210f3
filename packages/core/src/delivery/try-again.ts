import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type ChainChange, type Settlement, settleChains } from "./chains.ts";
import { actorOf, type ChangeRequest, retryChain } from "./change-send.ts";
import { type DeliveryContext, settle } from "./context.ts";
import { chainOutcome, type Delivery, type Endpoint } from "./delivery.ts";
import type { ChainSelection, LoadedDelivery, SendState } from "./delivery-storage.ts";
import { due } from "./delivery-transitions.ts";
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
export async function tryAgain(context: DeliveryContext, asked: AgainRequest): Promise<void> {
  const request = {
    ...asked,
    id: asked.id.toLowerCase(),
    ...(asked.deliveryId !== undefined && { deliveryId: asked.deliveryId.toLowerCase() }),
  };
  const { tenant, id, deliveryId } = request;
  const by = { tenant, id, actor: actorOf(request) };
  using _call = await context.ready();
  if (!isUuid(id) || (await context.deliveries.findSend(tenant, id)) === null) {
    throw unknownSend(asked.id);
  }
  const resting = new RestingEndpoints(context);
  const decide = (chain: readonly LoadedDelivery[], send: SendState, now: Date) => {
    const change = again(chain, send, now);
    resting.add(change === null ? chain.filter(isRetrying) : change.chain.filter(isIdle));
    return change;
  };
  const isLarge = deliveryId === undefined && (await isLargeSend(context, by));
  const hasChanged = isLarge
    ? await new ChainPages(context, by).change("retried", decide, () => resting.rouse())
    : await changeAll(context, request, decide);
  await resting.rouse();
  if (!hasChanged && !resting.hasRoused) {
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
    const own = loaded.filter(({ state }) => state.tenant === tenant && state.id === id);
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
function isRetrying(delivery: Delivery): boolean {
  return isIdle(delivery) && delivery.attempt > delivery.attemptsBefore && delivery.dueAt !== null;
}

/** Whether a delivery is to be attempted, and is not at this moment. */
function isIdle({ status, leaseOwner }: Delivery): boolean {
  return status === "pending" && leaseOwner === null;
}

function wasOffline({ status, reason }: Delivery): boolean {
  return status !== "failed" || reason === "offline";
}

/** The endpoints of what is tried again, which may rest: they are to be tried at once, by whichever process. */
class RestingEndpoints {
  readonly #context: Pick<DeliveryContext, "holds">;
  readonly #endpoints = new Map<string, Endpoint>();
  #hasRoused = false;

  constructor(context: Pick<DeliveryContext, "holds">) {
    this.#context = context;
  }

  /** Whether any of them did rest. */
  get hasRoused(): boolean {
    return this.#hasRoused;
  }

  add(deliveries: readonly Endpoint[]): void {
    for (const { channel, recipient } of deliveries) {
      this.#endpoints.set(`${channel}\u0000${recipient}`, { channel, recipient });
    }
  }

  /** Ends the rest of those added since the last call. Call it only after the commit. */
  async rouse(): Promise<void> {
    const { holds } = this.#context;
    const resting = this.#endpoints.size === 0 ? [] : await holds.circuitsOf([...this.#endpoints.values()]);
    this.#endpoints.clear();
    for (const endpoint of resting) {
      await holds.closeCircuit(endpoint);
      this.#hasRoused = true;
    }
  }
}
