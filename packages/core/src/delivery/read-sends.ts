import { BelfryError, type Issue } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type MembersOf, requireId, requireList, requireMembers, requireNone } from "../foundation/issue-list.ts";
import { choiceIssue, describe, NAME_RULE, shown, textIssue, wholeIssue } from "../foundation/parse-text.ts";
import { NOTIFICATION_DEFAULTS, type Notification, type SharedFields } from "../notifications/index.ts";
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
  const none = { channels: [channel], roomId: null, recipients: [], erasedRecipients: 0, hasFallback: false, meta };
  return { channel, ...(details ?? none), fallbackDelayMs, scheduledAt, ...shared, subject, content, ...progress };
}

/** The progress of what was just created at `createdAt`. */
export function newProgress(createdAt: Date): SendProgress {
  return { status: "pending", attempts: 0, fallbackUsed: false, deliveredAt: null, failedAt: null, updatedAt: createdAt };
}

/** What a send has if an older package kept it, before the field was there. */
const BEFORE_THE_FIELD: Omit<SharedFields, "type"> & Pick<Send, "erasedRecipients"> = {
  priority: NOTIFICATION_DEFAULTS.priority,
  erasedRecipients: 0,
};

/** Reads a send back from the JSON that was kept for its idempotency key. An older package may have kept it, without newer fields. */
export function sendFromJson(json: string): Send {
  const { scheduledAt, createdAt, updatedAt, ...rest } = JSON.parse(json) as Send;
  return {
    ...BEFORE_THE_FIELD,
    ...rest,
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
  requireId(id);
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
  range: Partial<DeliveryRange>,
): Promise<DeliveryPage> {
  requireMembers("deliveries", range, { offset: true, limit: true } satisfies MembersOf<DeliveryRange>);
  const { offset = 0, limit = DEFAULT_DELIVERIES } = range;
  requireNone([wholeIssue(limit, "limit", { min: 1, max: MAX_DELIVERIES }), wholeIssue(offset, "offset", { min: 0 })]);
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
  requireList(ids, "ids");
  requireNone([wholeIssue(limit, "limit", { min: 1, max: MAX_DELIVERIES })]);
  using _call = await context.ready();
  const known = ids.filter((id) => isUuid(id));
  const deliveries: TrackedDelivery[] = [];
  for (let start = 0; start < known.length; start += SENDS_AT_ONCE) {
    await context.turns.next();
    deliveries.push(...(await context.deliveries.deliveriesOf(tenant, known.slice(start, start + SENDS_AT_ONCE), { offset: 0, limit })));
  }
  // The caller makes something of them, such as a large answer, in a turn of its own.
  await context.turns.next();
  return deliveries;
}

/** Counts sends by status and channel. */
export async function countSends(context: DeliveryContext, tenant: string, query: SendAnalyticsQuery): Promise<SendAnalytics> {
  requireMembers("analytics", query, ANALYTICS_QUERY);
  const { from, before, channel, roomId } = query;
  requireNone([...dateIssues({ from, before }), ...textIssues({ channel, roomId })]);
  using _call = await context.ready();
  return context.deliveries.countSends(tenant, withinYears(query));
}

/** Returns lines of the audit log, newest first. */
export async function listAudit(context: DeliveryContext, tenant: string, input: AuditInput): Promise<readonly AuditEntry[]> {
  requireMembers("auditLog", input, { limit: true, before: true } satisfies MembersOf<AuditInput>);
  const { limit = 100, before } = input;
  requireNone([
    wholeIssue(limit, "limit", { min: 1, max: MAX_AUDIT }),
    before === undefined ? null : wholeIssue(before, "before", { min: 0 }),
  ]);
  using _call = await context.ready();
  return context.deliveries.listAudit(tenant, { limit, ...(before === undefined ? {} : { before }) });
}

/** The error for an id that names no send of the tenant. */
export function unknownSend(id: string): BelfryError {
  return new BelfryError("NOT_FOUND", `There is no sent notification ${shown(id)}.`);
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;
const SORTS = ["created_at", "-created_at", "status"];
const STATUSES = ["pending", "sent", "delivered", "failed", "partial", "cancelled"];

/** The filter and page of a list of sends. All given conditions must hold. `limit` is 1 to 100, 50 if left out. Newest first. */
export type ListSendsInput = Partial<SendQuery>;

const SEND_QUERY: MembersOf<SendQuery> = {
  channel: true,
  roomId: true,
  status: true,
  createdAfter: true,
  createdBefore: true,
  recipient: true,
  sort: true,
  offset: true,
  limit: true,
};
const ANALYTICS_QUERY: MembersOf<SendAnalyticsQuery> = { from: true, before: true, channel: true, roomId: true };

/** Returns a page of sends. Throws `VALIDATION_ERROR`. */
export async function listSends(context: DeliveryContext, tenant: string, input: ListSendsInput): Promise<SendPage> {
  requireMembers("list", input, SEND_QUERY);
  const query: SendQuery = { ...input, sort: input.sort ?? "-created_at", offset: input.offset ?? 0, limit: input.limit ?? DEFAULT_LIMIT };
  requireNone(queryIssues(query));
  using _call = await context.ready();
  await context.turns.next();
  return context.deliveries.listSends(tenant, withinYears(query));
}

function queryIssues(query: SendQuery): readonly (Issue | null)[] {
  const { sort, offset, limit, status, channel, roomId, recipient, createdAfter, createdBefore } = query;
  return [
    wholeIssue(limit, "limit", { min: 1, max: MAX_LIMIT }),
    wholeIssue(offset, "offset", { min: 0 }),
    choiceIssue(sort, "sort", SORTS),
    status === undefined ? null : choiceIssue(status, "status", STATUSES),
    ...textIssues({ channel, roomId, recipient }),
    ...dateIssues({ createdAfter, createdBefore }),
  ];
}

function textIssues(texts: Readonly<Record<string, string | undefined>>): readonly (Issue | null)[] {
  return Object.entries(texts).map(([name, value]) =>
    value === undefined ? null : textIssue(value, [name], { ...NAME_RULE, maxLength: 4_096 }),
  );
}

function dateIssues(dates: Readonly<Record<string, unknown>>): readonly (Issue | null)[] {
  return Object.entries(dates).map(([name, value]) => {
    const isFine = value === undefined || (value instanceof Date && !Number.isNaN(value.getTime()));
    return isFine ? null : { path: [name], type: "value_error", message: `must be a Date that is valid, is ${describe(value)}` };
  });
}

/** The years that every database has a form for. Nothing is created outside of them, so a filter finds the same within. */
const FIRST_MS = 0;
const LAST_MS = Date.UTC(10_000, 0) - 1;

/** Keeps the times of a filter within the years 1970 to 9999. */
function withinYears<Filter extends object>(filter: Filter): Filter {
  const bounded = Object.entries(filter).map(([name, value]) => [
    name,
    value instanceof Date ? new Date(Math.min(Math.max(value.getTime(), FIRST_MS), LAST_MS)) : value,
  ]);
  return Object.fromEntries(bounded) as Filter;
}
