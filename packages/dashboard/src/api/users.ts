import { defineRoute, given, lineStream, type Route, type RouteContext, reply } from "@belfry/core/http";
import { z } from "zod";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";
import { lines } from "./deliveries.ts";

const userId = z.string().min(1).max(255);
/** How many addresses may be named with a user at once. */
const MAX_ADDRESSES = 100;

const whose = z.object({ user_id: userId });

const named = z.object({ userId, addresses: z.array(z.string().min(1).max(4_096)).max(MAX_ADDRESSES).default([]) });

/** The routes of what there is of a user, beside the inbox: deliveries, addresses, devices, topics, export and deletion. */
export function userRoutes({ service }: ApiContext): readonly Route[] {
  const deliveries = (tenantId: string) => service.tenant(tenantId).operator.deliveries;
  return [
    defineRoute("GET", "/api/user-deliveries", {
      operationId: "listUserDeliveries",
      summary: "Deliveries to a user over all channels, newest first",
      query: whose.extend(lines),
      responses: { 200: { description: "A page of deliveries" } },
      handle: async ({ tenant, query: { user_id, failing, limit, cursor } }) =>
        reply(await deliveries(tenant.tenantId).to(user_id, { isFailing: failing, limit, ...given({ cursor }) })),
    }),
    defineRoute("GET", "/api/user-addresses", {
      operationId: "listUserAddresses",
      summary: "Where a user is reached over each channel, and whether that is suppressed",
      query: whose,
      responses: { 200: { description: "The addresses, by channel" } },
      handle: async ({ tenant, query }) => reply({ addresses: await deliveries(tenant.tenantId).addressesOf(query.user_id) }),
    }),
    defineRoute("GET", "/api/user-devices", {
      operationId: "listUserDevices",
      summary: "A user's phones and browsers",
      query: whose,
      responses: { 200: { description: "The devices, oldest first" } },
      handle: async ({ tenant, query }) => reply({ devices: await tenant.devices.list(query.user_id) }),
    }),
    defineRoute("GET", "/api/user-topics", {
      operationId: "listUserTopics",
      summary: "What a user subscribes to, by topic",
      query: whose.extend({ limit: z.coerce.number().int().min(1).max(100).default(50), cursor: z.string().optional() }),
      responses: { 200: { description: "A page of subscriptions" } },
      handle: async ({ tenant, query: { user_id, limit, cursor } }) =>
        reply(await tenant.topics.subscriptions(user_id, { limit, ...given({ cursor }) })),
    }),
    exportRoute,
    deleteRoute,
  ];
}

/** It is a change: the audit log says who asked. */
const exportRoute = defineRoute("POST", "/api/user-export", {
  operationId: "exportUser",
  action: "exportUser",
  summary: 'All that is kept of a user: a JSON object on each line; the last one is {"record":"end"} if it is whole',
  body: named,
  responses: { 200: { description: "The lines", contentType: "application/x-ndjson" } },
  handle(context) {
    const exported = context.tenant.exportUser(context.body.userId, namesIn(context));
    return lineStream(context, exported, "The dashboard could not export a user to its end.");
  },
});

const deleteRoute = defineRoute("POST", "/api/user-delete", {
  operationId: "deleteUser",
  action: "deleteUser",
  summary: "Delete all that is kept of a user; a call that was interrupted may be repeated",
  body: named,
  responses: { 200: { description: "How many rows were removed or emptied" } },
  handle: async (context) => reply(await context.tenant.deleteUser(context.body.userId, namesIn(context))),
});

function namesIn({ body: { addresses }, principal }: Pick<RouteContext<unknown, unknown, z.output<typeof named>>, "body" | "principal">) {
  return { addresses, actor: actorOf(principal) };
}
