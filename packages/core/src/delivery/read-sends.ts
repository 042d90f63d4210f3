import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { validationError } from "../foundation/issue-list.ts";
import type { DeliveryContext } from "./context.ts";
import type { TrackedDelivery } from "./delivery.ts";
import type { AuditEntry, Send, SendAnalytics, SendAnalyticsQuery } from "./send.ts";

const MAX_AUDIT = 1_000;

/** Which lines of the audit log to read. */
export interface AuditInput {
  /** 1 to 1,000. @default 100 */
  readonly limit?: number;
  /** Only lines numbered below this: the last line of the page before. */
  readonly before?: number;
}

/** One send as it stands; throws `NOT_FOUND`. */
export async function getSend(context: DeliveryContext, tenant: string, id: string): Promise<Send> {
  using _call = await context.ready();
  const send = isUuid(id) ? await context.deliveries.findSend(tenant, id) : null;
  if (send === null) {
    throw unknownSend(id);
  }
  return send;
}

/** The deliveries of sends with their attempts; unknown sends are left out. */
export async function deliveriesOf(context: DeliveryContext, tenant: string, ids: readonly string[]): Promise<readonly TrackedDelivery[]> {
  using _call = await context.ready();
  return context.deliveries.deliveriesOf(tenant, ids.filter(isUuid));
}

export async function countSends(context: DeliveryContext, tenant: string, query: SendAnalyticsQuery): Promise<SendAnalytics> {
  using _call = await context.ready();
  return context.deliveries.countSends(tenant, query);
}

export async function listAudit(
  context: DeliveryContext,
  tenant: string,
  { limit = 100, before }: AuditInput,
): Promise<readonly AuditEntry[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_AUDIT) {
    throw validationError([{ path: ["limit"], type: "range", message: `must be a whole number from 1 to ${MAX_AUDIT}, is ${limit}` }]);
  }
  using _call = await context.ready();
  return context.deliveries.listAudit(tenant, { limit, ...(before === undefined ? {} : { before }) });
}

/** The error for an id that names no send of the tenant. */
export function unknownSend(id: string): BelfryError {
  return new BelfryError("NOT_FOUND", `There is no sent notification ${JSON.stringify(id.slice(0, 64))}.`);
}
