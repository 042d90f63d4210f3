import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { announce } from "./announce.ts";
import { actorOf, type ChangeRequest } from "./change-request.ts";
import type { DeliveryContext } from "./context.ts";
import { isStoppable } from "./fallbacks.ts";
import { getSend, unknownSend } from "./read-sends.ts";
import type { Send } from "./send.ts";
import { type Settlement, settleChains, settled } from "./settle-chains.ts";

/** Stops everything of a send, or nothing: throws `INVALID_STATE` once any delivery has settled or is on its way. */
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
    const deliveries = loaded.flatMap(({ chains }) => chains.flat());
    if (loaded.length === 0) {
      result = null;
      return NOTHING;
    }
    const obstacle = deliveries.find((delivery) => !isStoppable(delivery));
    if (obstacle) {
      const what = obstacle.leaseOwner === null ? `a delivery is already ${obstacle.status}` : "a delivery is on its way";
      result = `The notification ${id} cannot be cancelled: ${what}.`;
      return NOTHING;
    }
    const settlement = settleChains(loaded, now, (chain) => ({
      chain: chain.map((delivery) => settled(delivery, { status: "cancelled", now })),
    }));
    result = settlement;
    return { ...settlement.changes, audit: [{ action: "cancelled", actor, notificationId: id }] };
  });
  return result;
}

/** A decision that changes nothing. */
export const NOTHING = { deliveries: [], attempts: [], sends: [], audit: [] } as const;
