import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { actorOf, type ChangeRequest } from "./change-request.ts";
import { checkContent } from "./check-content.ts";
import type { DeliveryContext } from "./context.ts";
import { getSend, unknownSend } from "./read-sends.ts";
import type { Send, SendChanges } from "./send.ts";

/** Changes the content of a send that is pending; throws `INVALID_STATE` for any other. */
export async function updateSend(context: DeliveryContext, request: ChangeRequest, changes: SendChanges): Promise<Send> {
  const { tenant, id } = request;
  const actor = actorOf(request);
  using _call = await context.ready();
  const { channels } = await getSend(context, tenant, id);
  const checked = checkContent(context, changes, channels);
  const updated = isUuid(id)
    ? await context.deliveries.updateSend(tenant, id, { ...checked, at: new Date(context.clock.now()), actor })
    : "unknown";
  if (updated === "unknown") {
    throw unknownSend(id);
  }
  if (updated === "not_pending") {
    const { status } = await getSend(context, tenant, id);
    throw new BelfryError("INVALID_STATE", `The notification ${id} cannot be changed: it is ${status}, not pending.`);
  }
  return updated.send;
}
