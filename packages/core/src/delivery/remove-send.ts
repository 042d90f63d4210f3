import { isUuid } from "../foundation/ids.ts";
import { actorOf, type ChangeRequest } from "./change-request.ts";
import type { DeliveryContext } from "./context.ts";
import { unknownSend } from "./read-sends.ts";

/** Deletes a send and its inbox items for good, and tells their owners' clients. */
export async function removeSend(context: DeliveryContext, request: ChangeRequest): Promise<void> {
  const { tenant, id } = request;
  const actor = actorOf(request);
  using _call = await context.ready();
  const deleted = isUuid(id) ? await context.deliveries.deleteSend(tenant, id, { at: new Date(context.clock.now()), actor }) : null;
  if (deleted === null) {
    throw unknownSend(id);
  }
  context.publish(
    deleted.items.map(({ epoch, ...item }) => ({ tenant, userId: item.userId, change: "deleted", seq: item.seq, epoch, id, item })),
  );
  for (const { epoch: _, ...item } of deleted.items) {
    context.events.emit("item.deleted", { tenant, userId: item.userId, id, type: item.type, item });
  }
}
