import { defineRoute, type Route } from "@belfry/core/http";
import { z } from "zod";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";

const userId = z.string().min(1).max(255);

/** What the page's inbox view asks: create, list, mark read, count. */
export function inboxRoutes(context: ApiContext): readonly Route[] {
  return [createRoute(context), listRoute, markReadRoute(context), countsRoute];
}

function createRoute({ service }: ApiContext): Route {
  return defineRoute({
    method: "POST",
    path: "/api/notifications",
    operationId: "createNotification",
    summary: "Create a notification for a user",
    body: z.object({ userId, message: z.string(), title: z.string().optional(), type: z.string().min(1).optional() }),
    responses: { 201: { description: "Its id" } },
    async handle({ tenant, principal, body }) {
      const { message, title, type } = body;
      const { notification } = await tenant.createFromContract({
        to: body.userId,
        message,
        ...(title === undefined ? {} : { title }),
        ...(type === undefined ? {} : { type }),
      });
      const entry = { action: "created" as const, actor: actorOf(principal), notificationId: notification.id };
      await service.tenant(tenant.tenantId).operator.note(entry);
      return { status: 201, json: { id: notification.id, createdAt: notification.createdAt } };
    },
  });
}

const listRoute = defineRoute({
  method: "GET",
  path: "/api/items",
  operationId: "listItems",
  summary: "A user's inbox items, newest first; without a user, the newest of all users",
  query: z.object({
    user_id: userId.optional(),
    status: z.enum(["all", "unread", "read"]).default("all"),
    limit: z.coerce.number().int().min(1).max(100).default(50),
    cursor: z.string().optional(),
  }),
  responses: { 200: { description: "A page of items" } },
  async handle({ tenant, query: { user_id, status, limit, cursor } }) {
    if (user_id === undefined) {
      const items = await tenant.latest(limit);
      const wanted = items.filter(({ readAt }) => status === "all" || (readAt === null) === (status === "unread"));
      return { status: 200, json: { items: wanted, nextCursor: null } };
    }
    const page = await tenant.inbox(user_id).list({ status, limit, ...(cursor === undefined ? {} : { cursor }) });
    return { status: 200, json: page };
  },
});

function markReadRoute({ service }: ApiContext): Route {
  return defineRoute({
    method: "POST",
    path: "/api/items/read",
    operationId: "markRead",
    summary: "Mark one of a user's items read",
    body: z.object({ userId, id: z.string() }),
    responses: { 200: { description: "The item" } },
    async handle({ tenant, principal, body }) {
      const item = await tenant.inbox(body.userId).markRead(body.id);
      await service.tenant(tenant.tenantId).operator.note({ action: "read", actor: actorOf(principal), notificationId: item.id });
      return { status: 200, json: item };
    },
  });
}

const countsRoute = defineRoute({
  method: "GET",
  path: "/api/counts",
  operationId: "countItems",
  summary: "How many items a user has, and how many are unread",
  query: z.object({ user_id: userId }),
  responses: { 200: { description: "The counts" } },
  async handle({ tenant, query }) {
    const { total, unread } = await tenant.inbox(query.user_id).counts();
    return { status: 200, json: { total, unread } };
  },
});
