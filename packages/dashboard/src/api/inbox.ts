import type { AuditNote } from "@belfry/core";
import { defineRoute, given, type Route, type RouteContext, reply } from "@belfry/core/http";
import { z } from "zod";
import type { DashboardService } from "../dashboard-options.ts";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";

const userId = z.string().min(1).max(255);

/** The routes of the page's inbox view: create, list, mark as read, count. */
export function inboxRoutes(context: ApiContext): readonly Route[] {
  return [createRoute(context), listRoute, markReadRoute(context), countsRoute];
}

function createRoute({ service }: ApiContext): Route {
  return defineRoute("POST", "/api/notifications", {
    operationId: "createNotification",
    action: "create",
    summary: "Create a notification for a user",
    body: z.object({ userId, message: z.string(), title: z.string().optional(), type: z.string().min(1).optional() }),
    responses: { 201: { description: "Its id" } },
    async handle(context) {
      const { tenant, body } = context;
      const { userId: to, message, title, type } = body;
      const { notification } = await tenant.createFromContract({ to, message, ...given({ title, type }) });
      await note(service, context, { action: "created", notificationId: notification.id });
      return reply({ id: notification.id, createdAt: notification.createdAt }, 201);
    },
  });
}

const listRoute = defineRoute("GET", "/api/items", {
  operationId: "listItems",
  summary: "A user's inbox items, newest first; without a user, the newest of all users, and how many of these are unread",
  query: z.object({
    user_id: userId.optional(),
    status: z.enum(["all", "unread", "read"]).default("all"),
    limit: z.coerce.number().int().min(1).max(100).default(50),
    cursor: z.string().optional(),
  }),
  responses: { 200: { description: "A page of items" } },
  async handle({ tenant, query: { user_id, status, limit, cursor } }) {
    if (user_id === undefined) {
      const newest = await tenant.latest(limit);
      const [unread, read] = [newest.filter(({ readAt }) => readAt === null), newest.filter(({ readAt }) => readAt !== null)];
      return reply({ items: { all: newest, unread, read }[status], nextCursor: null, unread: unread.length });
    }
    return reply(await tenant.inbox(user_id).list({ status, limit, ...given({ cursor }) }));
  },
});

function markReadRoute({ service }: ApiContext): Route {
  return defineRoute("POST", "/api/items/read", {
    operationId: "markRead",
    action: "markRead",
    summary: "Mark one of a user's items read",
    body: z.object({ userId, id: z.string() }),
    responses: { 200: { description: "The item" } },
    async handle(context) {
      const { tenant, body } = context;
      const inbox = tenant.inbox(body.userId);
      const { readAt } = await inbox.get(body.id);
      const item = await inbox.markRead(body.id);
      if (readAt === null) {
        await note(service, context, { action: "read", notificationId: item.id, userId: body.userId });
      }
      return reply(item);
    },
  });
}

const countsRoute = defineRoute("GET", "/api/counts", {
  operationId: "countItems",
  summary: "How many items a user has, and how many are unread",
  query: z.object({ user_id: userId }),
  responses: { 200: { description: "The counts" } },
  async handle({ tenant, query }) {
    const { total, unread } = await tenant.inbox(query.user_id).counts();
    return reply({ total, unread });
  },
});

/** Writes a line of the audit log. The action has succeeded by then, so a failure here is logged and does not fail the request. */
async function note(
  service: DashboardService,
  { tenant, principal, report }: RouteContext,
  entry: Omit<AuditNote, "actor">,
): Promise<void> {
  try {
    await service.tenant(tenant.tenantId).operator.note({ ...entry, actor: actorOf(principal) });
  } catch (error) {
    report(error, `The dashboard could not write to the audit log that ${entry.notificationId} was ${entry.action}.`);
  }
}
