import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { IssueList, validationError } from "../foundation/issue-list.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryPage, DeliveryRange, TrackedDelivery } from "./delivery.ts";
import type { AuditEntry, Send, SendAnalytics, SendAnalyticsQuery } from "./send.ts";

const MAX_AUDIT = 1_000;
const DEFAULT_DELIVERIES = 100;
const MAX_DELIVERIES = 1_000;
const SENDS_AT_ONCE = 20;

/** The page of the audit log to read. */
export interface AuditInput {
  /** 1 to 1,000. @default 100 */
  readonly limit?: number;
  /** Only lines numbered below this: the last line of the page before. */
  readonly before?: number;
}

/** Returns one send in its current state. Throws `NOT_FOUND`. */
export async function getSend(context: DeliveryContext, tenant: string, id: string): Promise<Send> {
  using _call = await context.ready();
  const send = isUuid(id) ? await context.deliveries.findSend(tenant, id) : null;
  if (send === null) {
    throw unknownSend(id);
  }
  return send;
}

/** Returns a page of a send's deliveries with their attempts. Throws `NOT_FOUND`. */
export async function listDeliveries(
  context: DeliveryContext,
  { tenant, id }: { readonly tenant: string; readonly id: string },
  { offset = 0, limit = DEFAULT_DELIVERIES }: Partial<DeliveryRange>,
): Promise<DeliveryPage> {
  const issues = new IssueList();
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_DELIVERIES) {
    issues.add({ path: ["limit"], type: "range", message: `must be a whole number from 1 to ${MAX_DELIVERIES}, is ${limit}` });
  }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    issues.add({ path: ["offset"], type: "range", message: `must be a whole number from 0, is ${offset}` });
  }
  issues.done();
  await getSend(context, tenant, id);
  using _call = await context.ready();
  const [deliveries, total] = await Promise.all([
    context.deliveries.deliveriesOf(tenant, [id], { offset, limit }),
    context.deliveries.countDeliveries(tenant, id),
  ]);
  return { deliveries, total };
}

/**
 * The first deliveries of each of several sends, with their attempts; unknown sends are left out. Few sends are read at a
 * time, and others get their turn in between.
 */
export async function firstDeliveries(
  context: DeliveryContext,
  tenant: string,
  { ids, limit }: { readonly ids: readonly string[]; readonly limit: number },
): Promise<readonly TrackedDelivery[]> {
  using _call = await context.ready();
  const known = ids.filter(isUuid);
  const deliveries: TrackedDelivery[] = [];
  for (let start = 0; start < known.length; start += SENDS_AT_ONCE) {
    deliveries.push(...(await context.deliveries.deliveriesOf(tenant, known.slice(start, start + SENDS_AT_ONCE), { offset: 0, limit })));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return deliveries;
}

/** Counts sends by status and channel. */
export async function countSends(context: DeliveryContext, tenant: string, query: SendAnalyticsQuery): Promise<SendAnalytics> {
  using _call = await context.ready();
  return context.deliveries.countSends(tenant, query);
}

/** Returns lines of the audit log, newest first. */
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
