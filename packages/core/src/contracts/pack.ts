import { z } from "zod";
import { BelfryError } from "../foundation/errors.ts";
import { type MembersOf, requireConfiguration, requireOptions } from "../foundation/issue-list.ts";
import { oneOf, whole } from "../foundation/parse-text.ts";
import { type Contract, defineContract } from "../http/contract.ts";
import { integer, text, timestamp } from "../http/parameters.ts";
import { defineRoute, type Route, reply } from "../http/route.ts";
import type { InboxItem } from "../inbox/index.ts";
import { fastapiError, fastapiFailure, fastapiValidationError } from "./fastapi-failure.ts";
import { isoDate } from "./iso-date.ts";

/** Options of the `pack` contract. */
export interface PackOptions {
  /**
   * The callers it accepts: clients with an API key, or anybody. The original has no authentication, and neither has `open`.
   * Use `open` only on a loopback address or behind the host's own checks.
   *
   * @default "apikey"
   */
  readonly auth?: "apikey" | "open";
  /** The start of `index`: the newest notification or, as on the original server, the oldest. @default "newest" */
  readonly indexOrder?: "newest" | "oldest";
  /** The number of a user's newest notifications that lists and indexes cover, 1 to 1,000. @default 1_000 */
  readonly window?: number;
}

const BASE = "/api/notifications";
const MAX_WINDOW = 1_000;

const userId = text({ minLength: 1, maxLength: 255, description: "The user's id" });
const itemSchema = z.object({ user_id: z.string(), content: z.string(), timestamp, is_read: z.boolean() }).meta({ id: "Notification" });

const invalid = { description: "A field or parameter is not valid", schema: fastapiValidationError };

/**
 * The contract `pack`: create a notification for a user, list, mark as read by index, and count.
 *
 * @throws BelfryError `CONFIGURATION` for a window that is not 1 to 1,000
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [pack({ auth: "open" })] }));
 * ```
 */
export function pack(options: PackOptions = {}): Contract {
  requireOptions("pack", options, { auth: true, indexOrder: true, window: true } satisfies MembersOf<PackOptions>);
  const { auth = "apikey", indexOrder = "newest", window = MAX_WINDOW } = options;
  requireConfiguration("pack's", [
    oneOf(["apikey", "open"])(auth, "auth"),
    oneOf(["newest", "oldest"])(indexOrder, "indexOrder"),
    whole({ min: 1, max: MAX_WINDOW })(window, "window"),
  ]);
  return defineContract({
    name: "pack",
    title: "Belfry pack",
    basePath: BASE,
    credential: auth === "open" ? "open" : "api-key",
    principal: "client",
    routes: [createRoute, listRoute(window), markReadRoute(window, indexOrder), countRoute],
    errorSchema: fastapiError,
    renderFailure: (failure) => fastapiFailure(failure, null),
  });
}

const createRoute = defineRoute("POST", `${BASE}/create`, {
  operationId: "createNotification",
  summary: "Create a notification for a user",
  isRateLimited: true,
  body: z.object({ user_id: userId, content: text({ maxLength: 10_000, description: "The message" }) }),
  responses: { 200: { description: "The notification", schema: itemSchema }, 422: invalid },
  async handle({ tenant, body }) {
    const { notification } = await tenant.createFromContract({ to: body.user_id, message: body.content });
    const { createdAt, message } = notification;
    return reply({ user_id: body.user_id, content: message, timestamp: isoDate(createdAt), is_read: false });
  },
});

function listRoute(window: number): Route {
  return defineRoute("GET", `${BASE}/list`, {
    operationId: "listNotifications",
    summary: "List notifications, newest first, of one user or of all",
    query: z.object({
      user_id: userId.optional(),
      limit: integer({ min: 1, max: MAX_WINDOW, description: "How many notifications at the most" }).default(50),
    }),
    responses: { 200: { description: "The notifications", schema: z.array(itemSchema) }, 422: invalid },
    async handle({ tenant, query }) {
      const limit = Math.min(query.limit, window);
      const items = query.user_id === undefined ? await tenant.latest(limit) : (await tenant.inbox(query.user_id).list({ limit })).items;
      return reply(items.map(renderItem));
    },
  });
}

function markReadRoute(window: number, indexOrder: "newest" | "oldest"): Route {
  return defineRoute("POST", `${BASE}/mark-read/{user_id}/{index}`, {
    operationId: "markRead",
    summary: "Mark one of a user's notifications read, by its place in the list",
    params: z.object({ user_id: userId, index: integer({ min: Number.MIN_SAFE_INTEGER, description: "0-based" }) }),
    responses: {
      200: { description: "It is read", schema: z.object({ ok: z.literal(true), message: z.string() }) },
      404: { description: "There is no such notification", schema: fastapiError },
      422: invalid,
    },
    async handle({ tenant, params }) {
      const inbox = tenant.inbox(params.user_id).activeOnly();
      const reach = Math.min((await inbox.counts()).total, window);
      const { index } = params;
      const offset = indexOrder === "newest" ? index : reach - 1 - index;
      const [item] = index >= 0 && index < reach ? (await inbox.list({ limit: 1, offset })).items : [];
      if (item === undefined) {
        throw new BelfryError("NOT_FOUND", `The user has no notification with index ${index}`);
      }
      await inbox.markRead({ seq: item.seq });
      return reply({ ok: true, message: "Notification marked as read" });
    },
  });
}

const countRoute = defineRoute("GET", `${BASE}/unread-count/{user_id}`, {
  operationId: "countUnread",
  summary: "Count a user's unread notifications",
  params: z.object({ user_id: userId }),
  responses: { 200: { description: "The count", schema: z.object({ user_id: z.string(), unread_count: z.int() }) }, 422: invalid },
  async handle({ tenant, params }) {
    const { unread } = await tenant.inbox(params.user_id).counts();
    return reply({ user_id: params.user_id, unread_count: unread });
  },
});

function renderItem(item: InboxItem): z.infer<typeof itemSchema> {
  return { user_id: item.userId, content: item.message, timestamp: isoDate(item.createdAt), is_read: item.readAt !== null };
}
