import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import type { Activity } from "./activity.ts";
import type { OperatorContext } from "./context.ts";

const MAX_ITEMS = 100;
const MAX_DELIVERIES = 1_000;
const MAX_AUDIT = 1_000;

/** Returns all data about one notification. Throws `NOT_FOUND`. */
export async function readTimeline(context: OperatorContext, tenant: string, given: string): Promise<Activity> {
  using _call = await context.ready();
  const { activity, deliveries, hub } = context;
  const id = given.toLowerCase();
  const content = isUuid(id) ? await activity.find(tenant, id) : null;
  if (content === null) {
    throw new BelfryError("NOT_FOUND", `There is no notification ${JSON.stringify(given.slice(0, 64))}.`);
  }
  const { kind } = content.summary;
  const [inboxes, send, tracked, records, audit] = await Promise.all([
    activity.itemsOf(tenant, id, MAX_ITEMS),
    kind === "send" ? deliveries.findSend(tenant, id) : null,
    kind === "send" ? deliveries.deliveriesOf(tenant, [id], { offset: 0, limit: MAX_DELIVERIES }) : [],
    kind === "event" ? hub.recordsOf(tenant, id) : [],
    activity.auditOf(tenant, id, MAX_AUDIT),
  ]);
  const { items, total, read } = inboxes;
  return { ...content, items, itemCount: total, readCount: read, send, deliveries: tracked, records, audit };
}
