import { BelfryError } from "@belfry/core";
import { fastapiFailure, isoDate } from "@belfry/core/contracts";
import { type Contract, defineContract, defineRoute, isLocalRequest, type RouteContext, reply } from "@belfry/core/http";
import { z } from "zod";
import { sampleToken } from "../sample-token.ts";
import { createForDemo, type DemoService, demoInput } from "./create-for-demo.ts";
import { DEMO_USERS } from "./demo-users.ts";
import type { KeptMail } from "./mailbox.ts";

/** The parts of the demo that its routes use. */
export interface DemoParts {
  readonly notifications: DemoService;
  /** Signs the tokens of the demo's users. */
  readonly jwtSecret: string;
  /** Newest first. */
  readonly mails: readonly KeptMail[];
}

/** How many of the notifications that the page created it goes on showing. */
const FOLLOWED = 5;

const users = z.object({ users: z.array(z.object({ id: z.string(), name: z.string(), token: z.string() })) });
const createdNotification = z.object({ id: z.string(), type: z.string(), title: z.string(), createdAt: z.string() });
const delivery = z.object({
  user: z.string(),
  channel: z.string(),
  status: z.string(),
  reason: z.string().nullable(),
  dueAt: z.string().nullable(),
});
const mail = z.object({ to: z.string(), subject: z.string(), text: z.string(), sentAt: z.string() });
const happened = z.object({ notifications: z.array(createdNotification.extend({ deliveries: z.array(delivery) })), mails: z.array(mail) });

type CreatedNotification = z.infer<typeof createdNotification>;

/** Makes the routes behind the demo's page. They hand out tokens of its users, so they answer requests of this machine alone. */
export function demoContract(parts: DemoParts): Contract {
  const followed: CreatedNotification[] = [];
  return defineContract({
    name: "demo",
    title: "The demo of the complete host",
    basePath: "/demo",
    credential: "open",
    principal: "client",
    routes: [usersRoute(parts), createRoute(parts, followed), happenedRoute(parts, followed)],
    renderFailure: (failure) => fastapiFailure(failure, null),
  });
}

function usersRoute({ jwtSecret }: DemoParts) {
  return defineRoute("GET", "/demo/users", {
    operationId: "users",
    summary: "The users of the demo, with a token each",
    responses: { 200: { description: "The users", schema: users } },
    async handle(context) {
      requireLocal(context);
      const withToken = DEMO_USERS.map(async ({ id, name }) => ({ id, name, token: await sampleToken(jwtSecret, id) }));
      return reply({ users: await Promise.all(withToken) });
    },
  });
}

function createRoute({ notifications }: DemoParts, followed: CreatedNotification[]) {
  return defineRoute("POST", "/demo/notifications", {
    operationId: "create",
    summary: "Create a notification of one of the demo's types",
    body: demoInput,
    responses: { 201: { description: "The notification", schema: createdNotification } },
    async handle(context) {
      requireLocal(context);
      const { id, type, title, createdAt } = await createForDemo(notifications, context.body);
      const created = { id, type, title, createdAt: isoDate(createdAt) };
      followed.unshift(created);
      followed.splice(FOLLOWED);
      return reply(created, 201);
    },
  });
}

function happenedRoute({ notifications, mails }: DemoParts, followed: readonly CreatedNotification[]) {
  return defineRoute("GET", "/demo/happened", {
    operationId: "happened",
    summary: "What became of the newest notifications, and the newest mails",
    responses: { 200: { description: "Newest first", schema: happened } },
    async handle(context) {
      requireLocal(context);
      const withDeliveries = followed.map(async (created) => ({ ...created, deliveries: await deliveriesOf(notifications, created) }));
      return reply({
        notifications: await Promise.all(withDeliveries),
        mails: mails.map(({ sentAt, ...kept }) => ({ ...kept, sentAt: isoDate(sentAt) })),
      });
    },
  });
}

async function deliveriesOf(notifications: DemoService, { id, type }: CreatedNotification): Promise<z.infer<typeof delivery>[]> {
  if (type === "news") {
    // A broadcast to inboxes alone has no deliveries.
    return [];
  }
  const { deliveries } = await notifications.deliveries(id);
  return deliveries.map(({ recipient, channel, status, reason, dueAt }) => ({
    user: DEMO_USERS.find((user) => user.id === recipient)?.name ?? recipient,
    channel,
    status,
    reason,
    dueAt: dueAt === null ? null : isoDate(dueAt),
  }));
}

/** Refuses requests of other machines, also those that a proxy on this one passes on. */
function requireLocal({ request }: Pick<RouteContext, "request">): void {
  if (!isLocalRequest({ ...request, httpVersion: "1.1" })) {
    throw new BelfryError("FORBIDDEN", "The demo answers requests of its own machine only.");
  }
}
