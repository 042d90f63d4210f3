import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { announce } from "./announce.ts";
import { actorOf, type ChangeRequest } from "./change-request.ts";
import type { DeliveryContext } from "./context.ts";
import type { LoadedSend } from "./delivery-storage.ts";
import { isStoppable } from "./fallbacks.ts";
import { getSend, unknownSend } from "./read-sends.ts";
import type { Send } from "./send.ts";
import { type Settlement, settleChains, settled } from "./settle-chains.ts";

/** Stops all deliveries of a send, or none. Throws `INVALID_STATE` once any delivery has settled or is on its way. */
export async function cancelSend(context: DeliveryContext, request: ChangeRequest): Promise<Send> {
  const { tenant, id } = request;
  const actor = actorOf(request);
  using _call = await context.ready();
  const settlement = isUuid(id) ? await cancel(context, { tenant, id, actor }) : null;
  if (settlement === null) {
    throw unknownSend(id);
  }
  if (typeof settlement === "string") {
    throw new BelfryError("INVALID_STATE", settlement);
  }
  announce(context, settlement);
  return getSend(context, tenant, id);
}

async function cancel(context: DeliveryContext, { tenant, id, actor }: Required<ChangeRequest>): Promise<Settlement | string | null> {
  let result: Settlement | string | null = null;
  await context.deliveries.settle({ kind: "send", tenant, id }, new Date(context.clock.now()), (loaded, now) => {
    result = cancelChains(loaded, now, { id, actor });
    return result === null || typeof result === "string" ? NOTHING : result.changes;
  });
  return result;
}

/** Stops every chain of a loaded send: null if there is none, a sentence if something of it cannot be stopped any more. */
export function cancelChains(
  loaded: readonly LoadedSend[],
  now: Date,
  { id, actor }: { readonly id: string; readonly actor: string },
): Settlement | string | null {
  if (loaded.length === 0) {
    return null;
  }
  const obstacle = loaded.flatMap(({ chains }) => chains.flat()).find((delivery) => !isStoppable(delivery));
  if (obstacle) {
    const what = obstacle.leaseOwner === null ? `a delivery is already ${obstacle.status}` : "a delivery is on its way";
    return `The notification ${id} cannot be cancelled: ${what}.`;
  }
  const settlement = settleChains(loaded, now, (chain) => ({
    chain: chain.map((delivery) => settled(delivery, { status: "cancelled", now })),
  }));
  return { ...settlement, changes: { ...settlement.changes, audit: [{ action: "cancelled", actor, notificationId: id }] } };
}

/** A decision that changes nothing. */
export const NOTHING = { deliveries: [], attempts: [], sends: [], audit: [] } as const;
