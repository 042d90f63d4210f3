import { BelfryError, type Issue } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { IssueList, validationError } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { NOTIFICATION_DEFAULTS, type Notification } from "../notifications/index.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryPage, DeliveryRange, TrackedDelivery } from "./delivery.ts";
import type {
  AuditEntry,
  DeliveryPlan,
  Send,
  SendAnalytics,
  SendAnalyticsQuery,
  SendDetails,
  SendPage,
  SendProgress,
  SendQuery,
} from "./send.ts";

/**
 * The send that a notification is, with the plan of its deliveries and how far they got. `details` is null for a
 * notification whose sender made no choices; it shows none of them.
 */
export function sendOf(notification: Notification, details: SendDetails | null, state: DeliveryPlan & SendProgress): Send {
  const { kind: _, title: subject, message: content, data: meta, source: __, sender: ___, ...shared } = notification;
  const { channel, fallbackDelayMs, scheduledAt, ...progress } = state;
  const none = { channels: [channel], roomId: null, recipients: [], hasFallback: false, meta };
  return { channel, ...(details ?? none), fallbackDelayMs, scheduledAt, ...shared, subject, content, ...progress };
}

/** The progress of what was just created at `createdAt`. */
export function newProgress(createdAt: Date): SendProgress {
  return { status: "pending", attempts: 0, fallbackUsed: false, deliveredAt: null, failedAt: null, updatedAt: createdAt };
}

/** Reads a send back from the JSON that was kept for its idempotency key. An older package may have kept it, without newer fields. */
export function sendFromJson(json: string): Send {
  const { scheduledAt, createdAt, updatedAt, ...rest } = JSON.parse(json) as Send;
  return {
    ...rest,
    priority: rest.priority ?? NOTIFICATION_DEFAULTS.priority,
    scheduledAt: scheduledAt === null ? null : new Date(scheduledAt),
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}

const MAX_AUDIT = 1_000;
const DEFAULT_DELIVERIES = 100;
const MAX_DELIVERIES = 1_000;
/** How many sends' deliveries are read in one turn of the event loop. */
const SENDS_AT_ONCE = 10;

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
 * The first deliveries of each of several sends, with their attempts; unknown sends are left out. A few sends are read in
 * one turn of the event loop, and others get their turn in between.
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
    await context.turns.next();
    deliveries.push(...(await context.deliveries.deliveriesOf(tenant, known.slice(start, start + SENDS_AT_ONCE), { offset: 0, limit })));
  }
  // What is made of them, such as a large answer, is left to a turn of its own, too.
  await context.turns.next();
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

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;
const SORTS = ["created_at", "-created_at", "status"];
const STATUSES = ["pending", "sent", "delivered", "failed", "partial", "cancelled"];

/** The filter and page of a list of sends. All given conditions must hold. `limit` is 1 to 100, 50 if left out. Newest first. */
export type ListSendsInput = Partial<SendQuery>;

/** Returns a page of sends. Throws `VALIDATION_ERROR`. */
export async function listSends(context: DeliveryContext, tenant: string, input: ListSendsInput): Promise<SendPage> {
  const query: SendQuery = { ...input, sort: input.sort ?? "-created_at", offset: input.offset ?? 0, limit: input.limit ?? DEFAULT_LIMIT };
  const issues = queryIssues(query);
  if (issues.length > 0) {
    throw validationError(issues);
  }
  using _call = await context.ready();
  await context.turns.next();
  return context.deliveries.listSends(tenant, query);
}

function queryIssues(query: SendQuery): Issue[] {
  const { sort, offset, limit, status, channel, roomId, recipient, createdAfter, createdBefore } = query;
  return [
    ...unless(Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT, [
      "limit",
      `must be a whole number from 1 to ${MAX_LIMIT}, is ${limit}`,
    ]),
    ...unless(Number.isSafeInteger(offset) && offset >= 0, ["offset", `must be a whole number from 0, is ${offset}`]),
    ...unless(SORTS.includes(sort), ["sort", `must be one of ${SORTS.join(", ")}`]),
    ...unless(status === undefined || STATUSES.includes(status), ["status", `must be one of ${STATUSES.join(", ")}`]),
    ...textIssues({ channel, roomId, recipient }),
    ...Object.entries({ createdAfter, createdBefore }).flatMap(([name, time]) =>
      unless(time === undefined || !Number.isNaN(time.getTime()), [name, "must be a time"]),
    ),
  ];
}

function unless(isFine: boolean, [field, message]: readonly [string, string]): Issue[] {
  return isFine ? [] : [{ path: [field], type: "value_error", message }];
}

function textIssues(texts: Readonly<Record<string, string | undefined>>): Issue[] {
  return Object.entries(texts).flatMap(([name, value]) => {
    const issue = value === undefined ? null : textIssue(value, [name], { ...NAME_RULE, maxLength: 4_096 });
    return issue ? [issue] : [];
  });
}
