import { z } from "zod";
import type { Acting, SendStatus } from "../../delivery/index.ts";
import type { JsonObject } from "../../foundation/json.ts";
import { type Contract, defineContract } from "../../http/contract.ts";
import { defineRoute, given, type Reply, type Route, type RouteContext, reply } from "../../http/route.ts";
import { isoDate } from "../iso-date.ts";
import { channelOf, isOfDocument, requireType, TYPES, typeOf } from "./channel-types.ts";
import { inputOf, keyOf, MAX_KEY_LENGTH, saidBy } from "./create-request.ts";
import { deliveryFailure, errors } from "./failure.ts";
import { renderDelivery, renderSend } from "./render.ts";
import {
  analyticsQuery,
  createBody,
  DAY_MS,
  deliveriesQuery,
  deliverySchema,
  errorSchema,
  listQuery,
  notificationSchema,
  pagination,
  STATUSES,
  updateBody,
} from "./schemas.ts";

/** The most deliveries per notification in `meta.delivery_details` of a list. `/deliveries` shows all. */
const SHOWN_IN_LISTS = 20;
const SHOWN_ALONE = 100;

const BASE = "/api/v1/notifications";
const ONE = `${BASE}/{notification_id}`;
const params = z.object({ notification_id: z.string().meta({ description: "The notification's id" }) });
const keyHeader = z.string().min(1).max(MAX_KEY_LENGTH).optional();

const createRoute = defineRoute("POST", BASE, {
  operationId: "sendNotification",
  summary: "Send a notification through a channel",
  body: createBody,
  headers: z.object({
    "Idempotency-Key": keyHeader.meta({ description: "Makes a repetition of this request answer as the first one did" }),
  }),
  isRateLimited: true,
  responses: { 201: successDoc("It is stored and goes out", { data: notificationSchema }), ...errors(409, 422) },
  async handle(context) {
    const { tenant, body, request } = context;
    requireType(tenant, body.type);
    const said = saidBy(body);
    const input = { ...inputOf(said), ...keyOf(request), ...actingOf(context) };
    // Only a websocket notification can fall back to e-mail. The others keep the flag, for their answers.
    const asksFallback = body.type !== "websocket" && body.email_fallback === true;
    const asked = { asksFallback, namesUsers: !isOfDocument(body.type), said: { ...said, ...(asksFallback && { asksFallback }) } };
    const send = await tenant.trackFromContract(input, asked);
    return { ...success({ data: renderSend(send, []) }), status: 201 };
  },
});

/** What the contract calls cancelled. */
const NEVER_WENT_OUT: readonly SendStatus[] = ["cancelled", "skipped"];

const listRoute = defineRoute("GET", BASE, {
  operationId: "listNotifications",
  summary: "List notifications that were sent",
  query: listQuery,
  responses: { 200: successDoc("One page", { data: z.array(notificationSchema), pagination }), ...errors(422) },
  async handle({ tenant, query }) {
    const { skip, limit, sort, type, status, recipient } = query;
    requireType(tenant, type);
    const filters = given({
      channel: type && channelOf(type),
      roomId: query.room_id,
      status: status === "cancelled" ? NEVER_WENT_OUT : status,
      recipient,
      createdAfter: query.created_after,
      createdBefore: query.created_before,
    });
    const { sends, total } = await tenant.list({ offset: skip, limit, sort, ...filters });
    const ids = sends.map(({ id }) => id);
    const deliveries = await tenant.firstDeliveries(ids, SHOWN_IN_LISTS);
    const bySend = Map.groupBy(deliveries, ({ notificationId }) => notificationId);
    const data = sends.map((send) => renderSend(send, bySend.get(send.id) ?? []));
    return success({ data, pagination: { skip, limit, total, has_more: skip + sends.length < total } });
  },
});

const counts = z.record(z.string(), z.int());
const analyticsSchema = z.object({
  total_notifications: z.int(),
  by_status: counts,
  by_type: counts,
  delivery_rate: z.number().meta({ description: "Delivered of all, in percent" }),
  fallback_usage: z.number().meta({ description: "Those that used a fallback of all, in percent" }),
});

const analyticsRoute = defineRoute("GET", `${BASE}/analytics`, {
  operationId: "getAnalytics",
  summary: "Count notifications by status and type",
  query: analyticsQuery,
  responses: { 200: successDoc("The counts", { data: analyticsSchema }), ...errors(422) },
  async handle({ tenant, query: { date_from, date_to, type, room_id } }) {
    requireType(tenant, type);
    const filters = given({
      from: date_from,
      before: date_to && new Date(date_to.getTime() + DAY_MS),
      channel: type && channelOf(type),
      roomId: room_id,
    });
    const { total, byStatus, byChannel, fallbackUsed } = await tenant.analytics(filters);
    const types = Object.entries(byChannel).map(([channel, count]) => [typeOf(channel), count]);
    const data = {
      total_notifications: total,
      by_status: Object.fromEntries(STATUSES.map((status) => [status, byStatus[status] + (status === "cancelled" ? byStatus.skipped : 0)])),
      by_type: { ...Object.fromEntries(TYPES.map((name) => [name, 0])), ...Object.fromEntries(types) },
      delivery_rate: percent(byStatus.delivered, total),
      fallback_usage: percent(fallbackUsed, total),
    };
    return success({ data });
  },
});

const getRoute = defineRoute("GET", ONE, {
  operationId: "getNotification",
  summary: "Get a notification with its delivery details",
  params,
  responses: { 200: successDoc("The notification", { data: notificationSchema }), ...errors(404) },
  async handle({ tenant, params: { notification_id: id } }) {
    const send = await tenant.get(id);
    return success({ data: renderSend(send, await tenant.firstDeliveries([send.id], SHOWN_ALONE)) });
  },
});

const updateRoute = defineRoute("PUT", ONE, {
  operationId: "updateNotification",
  summary: "Change a notification that is pending; meta is replaced whole",
  params,
  body: updateBody,
  responses: { 200: successDoc("It is changed", { data: notificationSchema, message: z.string() }), ...errors(404, 409, 422) },
  async handle(context) {
    const { tenant, body } = context;
    const { subject: title, content: message, meta: data } = body;
    const changes = given({ title, message, data: data as JsonObject | null | undefined });
    const send = await tenant.updateFromContract(context.params.notification_id, changes, actingOf(context));
    const updated = renderSend(send, await tenant.firstDeliveries([send.id], SHOWN_ALONE));
    return success({ data: updated, message: "Notification updated successfully" });
  },
});

const deleteRoute = defineRoute("DELETE", ONE, {
  operationId: "deleteNotification",
  summary: "Delete a notification, its delivery history and its inbox items for good",
  params,
  responses: { 200: successDoc("It is deleted", { message: z.string() }), ...errors(404) },
  async handle(context) {
    await context.tenant.deleteFromContract(context.params.notification_id, actingOf(context));
    return success({ message: "Notification deleted successfully" });
  },
});

const deliveriesRoute = defineRoute("GET", `${ONE}/deliveries`, {
  operationId: "listDeliveries",
  summary: "List a notification's deliveries with their attempts",
  params,
  query: deliveriesQuery,
  responses: {
    200: successDoc("The deliveries, in the order of the recipients", { data: z.array(deliverySchema), pagination }),
    ...errors(404, 422),
  },
  async handle({ tenant, params: { notification_id: id }, query: { skip, limit } }) {
    const { deliveries, total } = await tenant.deliveries(id, { offset: skip, limit });
    const page = { skip, limit, total, has_more: skip + deliveries.length < total };
    return success({ data: deliveries.map(renderDelivery), pagination: page });
  },
});

const cancelledSchema = z.object({ id: z.uuid(), status: z.literal("cancelled"), updated_at: z.string() });

const cancelRoute = defineRoute("POST", `${ONE}/cancel`, {
  operationId: "cancelNotification",
  summary: "Cancel a notification of which nothing has gone out",
  params,
  responses: { 200: successDoc("Nothing of it will go out", { data: cancelledSchema, message: z.string() }), ...errors(404, 409) },
  async handle(context) {
    const { id, status, updatedAt } = await context.tenant.cancel(context.params.notification_id, actingOf(context));
    const data = { id, status, updated_at: isoDate(updatedAt) };
    return success({ data, message: "Notification cancelled successfully" });
  },
});

const retriedSchema = z.object({ id: z.uuid(), status: z.literal("pending"), delivery_attempts: z.int(), updated_at: z.string() });

const retryRoute = defineRoute("POST", `${ONE}/retry`, {
  operationId: "retryNotification",
  summary: "Retry what failed of a notification",
  params,
  responses: { 200: successDoc("It is tried again", { data: retriedSchema, message: z.string() }), ...errors(404, 409) },
  async handle(context) {
    const { id, status, attempts, updatedAt } = await context.tenant.retry(context.params.notification_id, actingOf(context));
    const data = { id, status, delivery_attempts: attempts, updated_at: isoDate(updatedAt) };
    return success({ data, message: "Notification queued for retry" });
  },
});

const routes: readonly Route[] = [
  createRoute,
  listRoute,
  analyticsRoute,
  getRoute,
  updateRoute,
  deleteRoute,
  deliveriesRoute,
  cancelRoute,
  retryRoute,
];

/**
 * The contract `delivery-v1`: clients with an API key send notifications over e-mail, sockets and webhooks, with fallback,
 * and track their deliveries. It shares its path with `inbox-v1`; the credential decides.
 *
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [inboxV1(), deliveryV1()], auth: { jwt: { secret }, apiKeys: { key: "acme" } } }));
 * ```
 */
export function deliveryV1(): Contract {
  return defineContract({
    name: "delivery-v1",
    title: "Belfry delivery-v1",
    basePath: BASE,
    credential: "api-key",
    principal: "client",
    routes,
    errorSchema,
    renderFailure: deliveryFailure,
  });
}

function success(body: object): Reply {
  return reply({ ...body, status: "success" });
}

function successDoc(description: string, body: z.ZodRawShape) {
  return { description, schema: z.object({ ...body, status: z.literal("success") }) };
}

/** Names the caller for the audit log. */
function actingOf({ tenant, principal }: Pick<RouteContext, "tenant" | "principal">): Acting {
  const key = principal.kind === "client" ? principal.keyId : undefined;
  return { actor: key === undefined ? `client:${tenant.tenantId}`.slice(0, 255) : `key:${key}` };
}

/** Returns a percentage with one decimal. */
function percent(part: number, total: number): number {
  return total === 0 ? 0 : Math.round((part * 1_000) / total) / 10;
}
