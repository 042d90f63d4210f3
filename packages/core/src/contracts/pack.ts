import { z } from "zod";
import type { FeedSubscription } from "../foundation/context.ts";
import { BelfryError } from "../foundation/errors.ts";
import { type MembersOf, requireConfiguration, requireOptions } from "../foundation/issue-list.ts";
import { NAME_RULE, oneOf, textIssue, whole } from "../foundation/parse-text.ts";
import { type Contract, defineContract, type Failure, type SocketContext, type SocketSession } from "../http/contract.ts";
import { integer, text, timestamp } from "../http/parameters.ts";
import { type ContractTenant, defineRoute, type Reply, type Route, reply } from "../http/route.ts";
import type { InboxEvent, InboxItem } from "../inbox/index.ts";
import { INBOX_CHANNEL } from "../notifications/index.ts";
import { fastapiError, fastapiFailure, fastapiValidationError } from "./fastapi-failure.ts";
import { frameOnce } from "./frame-once.ts";
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
/** The title of what goes out over e-mail or push: the document has no other one. */
const TITLE = "New Notification";

const userId = text({ minLength: 1, maxLength: 255, description: "The user's id" });
const category = text({ minLength: 1, maxLength: 255, description: "Such as message, system, alert or update" });
const itemSchema = z
  .object({
    user_id: z.string(),
    content: z.string(),
    category: z.string().optional().meta({ description: "Left out of notifications without one" }),
    timestamp,
    is_read: z.boolean(),
  })
  .meta({ id: "Notification" });
const bool = z.boolean({ error: "Input should be a valid boolean" });
const createBody = z.object({
  user_id: userId,
  content: text({ maxLength: 10_000, description: "The message" }),
  category: category.nullish(),
  send_email: bool.nullish().meta({ description: "Whether it goes out by e-mail, too" }),
  push: bool.nullish().meta({ description: "Whether it goes out to the user's devices, too" }),
});

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
    sockets: ["/ws/{user_id}", `${BASE}/ws/{user_id}`].map((path) => ({
      path,
      credentialParameter: "apiKey",
      summary: "a user's notifications as they are created, each as `list` shows it; the key in `?apiKey=`",
      open: (context, { params }) => new PackSocket(context, params.user_id ?? ""),
    })),
    errorSchema: fastapiError,
    renderFailure,
  });
}

const createRoute = defineRoute("POST", `${BASE}/create`, {
  operationId: "createNotification",
  summary: "Create a notification for a user",
  isRateLimited: true,
  body: createBody,
  responses: {
    200: { description: "The notification", schema: itemSchema },
    409: { description: "E-mail or push is asked for, and no such channel is set up", schema: fastapiError },
    422: invalid,
  },
  async handle({ tenant, body: { user_id, content, send_email, push, ...body } }) {
    const channels = [INBOX_CHANNEL, ...(send_email === true ? ["email"] : []), ...(push === true ? ["push"] : [])];
    const reach = channels.length > 1 ? { channels, title: TITLE } : {};
    const { notification } = await tenant.createFromContract({ to: user_id, message: content, ...reach }, body.category ?? undefined);
    return reply(renderItem({ ...notification, userId: user_id, readAt: null }));
  },
});

function listRoute(window: number): Route {
  return defineRoute("GET", `${BASE}/list`, {
    operationId: "listNotifications",
    summary: "List notifications, newest first, of one user or of all",
    query: z.object({
      user_id: userId.optional(),
      category: category.optional(),
      limit: integer({ min: 1, max: MAX_WINDOW, description: "How many notifications at the most" }).default(50),
    }),
    responses: { 200: { description: "The notifications", schema: z.array(itemSchema) }, 422: invalid },
    async handle({ tenant, query }) {
      const { user_id, category: wanted } = query;
      const limit = Math.min(query.limit, window);
      const items = await newest(tenant, user_id, wanted === undefined ? limit : window);
      const listed = wanted === undefined ? items : items.filter((item) => item.category === wanted).slice(0, limit);
      return reply(listed.map(renderItem));
    },
  });
}

async function newest(tenant: ContractTenant, userId: string | undefined, limit: number): Promise<readonly InboxItem[]> {
  return userId === undefined ? await tenant.latest(limit) : (await tenant.inbox(userId).list({ limit })).items;
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

type ShownItem = Pick<InboxItem, "userId" | "message" | "category" | "createdAt" | "readAt">;

function renderItem({ userId: user_id, message: content, category, createdAt, readAt }: ShownItem): z.infer<typeof itemSchema> {
  return { user_id, content, ...(category === null ? {} : { category }), timestamp: isoDate(createdAt), is_read: readAt !== null };
}

/** An e-mail cannot go to a user for whom there is nobody to ask for an address: that is said of the field that names the user. */
function renderFailure(failure: Failure): Reply {
  const { error } = failure;
  if (error.code !== "INVALID_RECIPIENTS") {
    return fastapiFailure(failure, null, { to: "user_id", message: "content" });
  }
  return reply({ detail: [{ loc: ["body", "user_id"], msg: error.message, type: "value_error" }] }, 422);
}

/** The frame of a new notification; null for other events. */
const frameOf = frameOnce(({ change, item }: InboxEvent) => (change === "created" && item ? JSON.stringify(renderItem(item)) : null));

/** A WebSocket that gets a user's new notifications, and nothing else. What its client says means nothing. */
class PackSocket implements SocketSession {
  readonly #context: SocketContext;
  readonly #following: FeedSubscription | null;

  constructor(context: SocketContext, userId: string) {
    this.#context = context;
    const { principal, service } = context;
    const issue = textIssue(userId, ["user_id"], NAME_RULE);
    if (issue !== null) {
      context.stream.send(JSON.stringify({ detail: [{ loc: ["path", "user_id"], msg: issue.message, type: issue.type }] }));
      context.stream.close(1008, "no user has this id");
      this.#following = null;
      return;
    }
    const tenant = principal === null ? service.defaultTenant : service.tenant(principal.tenant);
    this.#following = tenant.inbox(userId).activeOnly().subscribe(this);
    this.#following.ready.catch((error: unknown) => {
      context.report(error, "Belfry could not follow an inbox for a socket; the client is to come again.");
      context.stream.close(1011, "try again");
    });
  }

  message(): void {
    // The contract has no messages of clients. Those that keep a connection alive are welcome.
  }

  closed(): void {
    this.#following?.close();
  }

  onEvent(event: InboxEvent): void {
    const text = frameOf(event);
    if (text !== null) {
      this.#context.stream.send(text);
    }
  }

  onState(): void {
    // Whoever missed notifications lists them: the contract's frames are notifications alone.
  }
}
