import { withDigests } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type ChecksOf, requireId, requireInput } from "../foundation/issue-list.ts";
import { shown, whole } from "../foundation/parse-text.ts";
import type { Activity } from "./activity.ts";
import type { OperatorContext } from "./context.ts";
import { contentOf, withStandings } from "./standings.ts";

const MAX_ITEMS = 100;
const MAX_DELIVERIES = 1_000;
const MAX_AUDIT = 1_000;

/** How much of a timeline to read. */
export interface TimelineInput {
  /** The most deliveries, 0 to 1,000. @default 1_000 */
  readonly deliveries?: number;
}

const INPUT: ChecksOf<TimelineInput> = { deliveries: whole({ min: 0, max: MAX_DELIVERIES }) };

/** Reads all that is known of a notification. Throws `NOT_FOUND`. */
export async function readTimeline(
  context: OperatorContext,
  tenant: string,
  { id, input }: { readonly id: string; readonly input: TimelineInput },
): Promise<Activity> {
  requireId(id);
  requireInput("timeline", input, INPUT);
  const { deliveries: limit = MAX_DELIVERIES } = input;
  using _call = await context.ready();
  const { activity, deliveries, hub, clock } = context;
  const uuid = id.toLowerCase();
  const stored = isUuid(uuid) ? await activity.find(tenant, uuid) : null;
  if (stored === null) {
    throw new BelfryError("NOT_FOUND", `There is no notification ${shown(id)}.`);
  }
  const now = new Date(clock.now());
  const content = contentOf(stored, now);
  const { kind } = content.summary;
  const [inboxes, send, chains, tracked, records, audit, topics, broadcast] = await Promise.all([
    activity.itemsOf(tenant, uuid, MAX_ITEMS),
    kind === "send" ? deliveries.findSend(tenant, uuid) : null,
    kind === "send" ? activity.chainsOf(tenant, uuid) : null,
    kind === "send" && limit > 0 ? deliveries.deliveriesOf(tenant, [uuid], { offset: 0, limit }) : [],
    kind === "event" ? hub.recordsOf(tenant, uuid) : [],
    activity.auditOf(tenant, uuid, MAX_AUDIT),
    activity.topicsOf(tenant, uuid),
    activity.broadcastOf(tenant, uuid, now),
  ]);
  const { items, total, read } = inboxes;
  const withTheirs = await withStandings(context, await withDigests(context, tenant, tracked));
  const summary = { ...content.summary, recipientCount: Math.max(content.summary.recipientCount, kind === "message" ? total : 0) };
  return {
    ...content,
    summary,
    items,
    itemCount: total,
    readCount: read,
    send,
    chains,
    deliveries: withTheirs,
    records,
    audit,
    topics,
    broadcast,
  };
}
