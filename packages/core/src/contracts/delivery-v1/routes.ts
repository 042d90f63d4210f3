import { z } from "zod";
import type { SendStatus } from "../../delivery/index.ts";
import type { JsonObject } from "../../foundation/json.ts";
import { defineRoute, type Route } from "../../http/route.ts";
import { actorOf, createRoute } from "./create.ts";
import { BASE, errors } from "./failure.ts";
import { channelOf, renderDelivery, renderSend, typeOf } from "./render.ts";
import {
  analyticsQuery,
  DAY_MS,
  deliveriesQuery,
  deliverySchema,
  listQuery,
  notificationSchema,
  pagination,
  STATUSES,
  success,
  TYPES,
  updateBody,
} from "./schemas.ts";

/** The most deliveries per notification in `meta.delivery_details` of a list. `/deliveries` shows all. */
const SHOWN_IN_LISTS = 20;
const SHOWN_ALONE = 100;

const params = z.object({ notification_id: z.string().meta({ description: "The notification's id" }) });
const path = `${BASE}/{notification_id}`;

const listRoute = defineRoute({
  method: "GET",
  path: BASE,
  operationId: "listNotifications",
  summary: "List notifications that were sent",
  query: listQuery,
  responses: {
    200: {
      description: "One page",
      schema: z.object({
        data: z.array(notificationSchema),
        pagination,
        status: success,
      }),
    },
    ...errors(422),
  },
  async handle({ tenant, query }) {
    const { skip, limit, type, room_id, created_after, created_before, status, recipient, sort } = query;
    const { sends, total } = await tenant.sends.list({
      offset: skip,
      limit,
      sort,
      ...(type && { channel: channelOf(type) }),
      ...(room_id && { roomId: room_id }),
      ...(status && { status }),
      ...(recipient && { recipient }),
      ...(created_after && { createdAfter: created_after }),
      ...(created_before && { createdBefore: created_before }),
    });
    const deliveries = await tenant.sends.firstDeliveries(
      sends.map(({ id }) => id),
      SHOWN_IN_LISTS,
    );
    const bySend = Map.groupBy(deliveries, ({ notificationId }) => notificationId);
    const data = sends.map((send) => renderSend(send, bySend.get(send.id) ?? []));
    const page = { skip, limit, total, has_more: skip + sends.length < total };
    return { status: 200, json: { data, pagination: page, status: "success" } };
  },
});

const getRoute = defineRoute({
  method: "GET",
  path,
  operationId: "getNotification",
  summary: "Get a notification with its delivery details",
  params,
  responses: {
    200: { description: "The notification", schema: z.object({ data: notificationSchema, status: success }) },
    ...errors(404),
  },
  async handle({ tenant, params: { notification_id: id } }) {
    const send = await tenant.sends.get(id);
    return { status: 200, json: { data: renderSend(send, await tenant.sends.firstDeliveries([send.id], SHOWN_ALONE)), status: "success" } };
  },
});

const deliveriesRoute = defineRoute({
  method: "GET",
  path: `${path}/deliveries`,
  operationId: "listDeliveries",
  summary: "List a notification's deliveries with their attempts",
  params,
  query: deliveriesQuery,
  responses: {
    200: {
      description: "The deliveries, in the order of the recipients",
      schema: z.object({ data: z.array(deliverySchema), pagination, status: success }),
    },
    ...errors(404, 422),
  },
  async handle({ tenant, params: { notification_id: id }, query: { skip, limit } }) {
    const { deliveries, total } = await tenant.sends.deliveries(id, { offset: skip, limit });
    const page = { skip, limit, total, has_more: skip + deliveries.length < total };
    return { status: 200, json: { data: deliveries.map(renderDelivery), pagination: page, status: "success" } };
  },
});

const updateRoute = defineRoute({
  method: "PUT",
  path,
  operationId: "updateNotification",
  summary: "Change a notification that is pending; meta is replaced whole",
  params,
  body: updateBody,
  responses: {
    200: { description: "It is changed", schema: z.object({ data: notificationSchema, message: z.string(), status: success }) },
    ...errors(404, 409, 422),
  },
  async handle(context) {
    const { tenant, body } = context;
    const { subject, content, meta } = body;
    const changes = {
      ...(subject == null ? {} : { subject }),
      ...(content == null ? {} : { content }),
      ...(meta == null ? {} : { meta: meta as JsonObject }),
    };
    const send = await tenant.sends.update(context.params.notification_id, changes, { actor: actorOf(context) });
    const data = renderSend(send, await tenant.sends.firstDeliveries([send.id], SHOWN_ALONE));
    return { status: 200, json: { data, message: "Notification updated successfully", status: "success" } };
  },
});

const cancelRoute = defineRoute({
  method: "POST",
  path: `${path}/cancel`,
  operationId: "cancelNotification",
  summary: "Cancel a notification of which nothing has gone out",
  params,
  responses: {
    200: {
      description: "Nothing of it will go out",
      schema: z.object({
        data: z.object({ id: z.uuid(), status: z.literal("cancelled"), updated_at: z.string() }),
        message: z.string(),
        status: success,
      }),
    },
    ...errors(404, 409),
  },
  async handle(context) {
    const { id, status, updatedAt } = await context.tenant.sends.cancel(context.params.notification_id, { actor: actorOf(context) });
    const data = { id, status, updated_at: updatedAt.toISOString() };
    return { status: 200, json: { data, message: "Notification cancelled successfully", status: "success" } };
  },
});

const retryRoute = defineRoute({
  method: "POST",
  path: `${path}/retry`,
  operationId: "retryNotification",
  summary: "Retry what failed of a notification",
  params,
  responses: {
    200: {
      description: "It is tried again",
      schema: z.object({
        data: z.object({ id: z.uuid(), status: z.literal("pending"), delivery_attempts: z.int(), updated_at: z.string() }),
        message: z.string(),
        status: success,
      }),
    },
    ...errors(404, 409),
  },
  async handle(context) {
    const { id, status, attempts, updatedAt } = await context.tenant.sends.retry(context.params.notification_id, {
      actor: actorOf(context),
    });
    const data = { id, status, delivery_attempts: attempts, updated_at: updatedAt.toISOString() };
    return { status: 200, json: { data, message: "Notification queued for retry", status: "success" } };
  },
});

const deleteRoute = defineRoute({
  method: "DELETE",
  path,
  operationId: "deleteNotification",
  summary: "Delete a notification, its delivery history and its inbox items for good",
  params,
  responses: {
    200: { description: "It is deleted", schema: z.object({ message: z.string(), status: success }) },
    ...errors(404),
  },
  async handle(context) {
    await context.tenant.sends.remove(context.params.notification_id, { actor: actorOf(context) });
    return { status: 200, json: { message: "Notification deleted successfully", status: "success" } };
  },
});

const counts = z.record(z.string(), z.int());

const analyticsRoute = defineRoute({
  method: "GET",
  path: `${BASE}/analytics`,
  operationId: "getAnalytics",
  summary: "Count notifications by status and type",
  query: analyticsQuery,
  responses: {
    200: {
      description: "The counts",
      schema: z.object({
        data: z.object({
          total_notifications: z.int(),
          by_status: counts,
          by_type: counts,
          delivery_rate: z.number().meta({ description: "Delivered of all, in percent" }),
          fallback_usage: z.number().meta({ description: "Those that used a fallback of all, in percent" }),
        }),
        status: success,
      }),
    },
    ...errors(422),
  },
  async handle({ tenant, query: { date_from, date_to, type, room_id } }) {
    const counted = await tenant.sends.analytics({
      ...(date_from && { from: date_from }),
      ...(date_to && { before: new Date(date_to.getTime() + DAY_MS) }),
      ...(type && { channel: channelOf(type) }),
      ...(room_id && { roomId: room_id }),
    });
    const { total, byStatus, byChannel, fallbackUsed } = counted;
    const types = Object.entries(byChannel).map(([channel, count]) => [typeOf(channel), count]);
    const data = {
      total_notifications: total,
      by_status: Object.fromEntries(STATUSES.map((status: SendStatus) => [status, byStatus[status]])),
      by_type: { ...Object.fromEntries(TYPES.map((name) => [name, 0])), ...Object.fromEntries(types) },
      delivery_rate: percent(byStatus.delivered, total),
      fallback_usage: percent(fallbackUsed, total),
    };
    return { status: 200, json: { data, status: "success" } };
  },
});

/** Returns a percentage with one decimal. */
function percent(part: number, total: number): number {
  return total === 0 ? 0 : Math.round((part * 1_000) / total) / 10;
}

/** The routes of `delivery-v1`. */
export const deliveryV1Routes: readonly Route[] = [
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
