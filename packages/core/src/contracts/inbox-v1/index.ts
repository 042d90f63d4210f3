import { z } from "zod";
import { andThen } from "../../foundation/maybe-promise.ts";
import { type Contract, defineContract } from "../../http/contract.ts";
import { choice, integer, text, uuid } from "../../http/parameters.ts";
import { defineRoute, given, inboxOf, type OpenStream, type Reply, type Route, type RouteContext, reply } from "../../http/route.ts";
import { SSE_HEADERS, sseRetry } from "../../http/sse.ts";
import {
  bytesOfText,
  type Inbox,
  type InboxEvent,
  type InboxPosition,
  type ListForm,
  type StoredItem,
  type StoredListInput,
  storedItem,
} from "../../inbox/index.ts";
import { fastapiError, fastapiFailure, fastapiValidationError } from "../fastapi-failure.ts";
import { type Client, follow, lookAgain, sendState } from "./follow.ts";
import { eventFrame, type Frame, frameEvent, itemJson, itemSchema, positionOfEventId } from "./frames.ts";
import { openSocket } from "./socket.ts";

const BASE = "/api/v1/notifications";

const errors = {
  422: { description: "A parameter is not valid", schema: fastapiValidationError },
};
const itemErrors = {
  ...errors,
  403: { description: "It exists, but never was the caller's", schema: fastapiError },
  404: { description: "It is unknown or deleted", schema: fastapiError },
};
const itemParams = z.object({ notification_id: uuid("The notification's id") });
const countSchema = z.object({ count: z.int() });

const listQuery = z.object({
  status: choice(["all", "read", "unread"], "Which items").default("all"),
  type: text({ minLength: 1, maxLength: 255, description: "Only items of this type" }).optional(),
  room_id: text({ minLength: 1, maxLength: 255, description: "Only items of this room" }).optional(),
  limit: integer({ min: 1, max: 100, description: "How many items at the most" }).default(50),
  offset: integer({ min: 0, description: "How many of the newest items to skip" }).optional(),
  cursor: text({ maxLength: 200, description: "The next_cursor of the page before" }).optional(),
});

const listSchema = z.object({
  notifications: z.array(itemSchema),
  total: z.int().meta({ description: "How many items match the filters" }),
  unread_count: z.int().meta({ description: "How many items are unread, unfiltered" }),
  next_cursor: z.string().nullable(),
});

/** The answer to a list. */
const LIST: ListForm<StoredItem, Reply> = {
  name: "inbox-v1",
  make({ items, matching, counts, nextCursor }) {
    const rest = { total: matching, unread_count: counts.unread, next_cursor: nextCursor };
    return {
      status: 200,
      headers: { "x-unread-count": String(counts.unread) },
      jsonText: `{"notifications":[${items.map(itemJson).join()}],${JSON.stringify(rest).slice(1)}`,
    };
  },
  bytesOf: ({ jsonText = "" }) => bytesOfText(jsonText),
};

/** What is asked of an inbox by each query that is remembered. */
const listInputs = new WeakMap<object, StoredListInput>();

/** What a query asks of an inbox: the same for the same one, and frozen, so that it is checked once. */
function listInput(query: z.output<typeof listQuery>): StoredListInput {
  const known = listInputs.get(query);
  if (known !== undefined) {
    return known;
  }
  const { room_id: roomId, ...rest } = query;
  const input = Object.freeze(given({ ...rest, roomId }));
  listInputs.set(query, input);
  return input;
}

const ticketSchema = z.object({ ticket: z.string(), expires_in: z.int().meta({ description: "How many seconds it may wait to be used" }) });

const routes: readonly Route[] = [
  defineRoute("GET", BASE, {
    operationId: "listNotifications",
    summary: "List the caller's notifications, newest first",
    query: listQuery,
    isQueryRemembered: true,
    responses: {
      200: { description: "One page", schema: listSchema },
      400: { description: "A foreign cursor", schema: fastapiError },
      ...errors,
    },
    handle: (context) => inboxOf(context).listAs(LIST, listInput(context.query)),
  }),
  defineRoute("GET", `${BASE}/unread-count`, {
    operationId: "countUnread",
    summary: "Count the caller's unread notifications",
    responses: { 200: { description: "The count", schema: countSchema } },
    handle: (context) => andThen(inboxOf(context).readUnread(), (count) => ({ status: 200, jsonText: `{"count":${count}}` })),
  }),
  defineRoute("POST", `${BASE}/read-all`, {
    operationId: "markAllRead",
    summary: "Mark all of the caller's notifications read, in one transaction",
    responses: { 200: { description: "How many that changed", schema: countSchema } },
    handle: async (context) => reply({ count: await inboxOf(context).markAllRead() }),
  }),
  defineRoute("POST", `${BASE}/ws-ticket`, {
    operationId: "createSocketTicket",
    summary: "Get a ticket that opens the WebSocket once, in the place of a token in its URL",
    responses: { 201: { description: "The ticket, for `?ticket=`", schema: ticketSchema } },
    async handle({ service, request }) {
      const { ticket, lifetimeMs } = await service.socketTickets.issue(request.headers);
      return reply({ ticket, expires_in: lifetimeMs / 1_000 }, 201);
    },
  }),
  defineRoute("PATCH", `${BASE}/{notification_id}/read`, {
    operationId: "markRead",
    summary: "Mark one notification read; again keeps the first time",
    params: itemParams,
    responses: { 200: { description: "The notification", schema: itemSchema }, ...itemErrors },
    async handle(context) {
      const item = await inboxOf(context).markRead(context.params.notification_id);
      return { status: 200, jsonText: itemJson(storedItem(item)) };
    },
  }),
  defineRoute("DELETE", `${BASE}/{notification_id}`, {
    operationId: "deleteNotification",
    summary: "Delete one notification",
    params: itemParams,
    responses: { 204: { description: "It is deleted" }, ...itemErrors },
    async handle(context) {
      await inboxOf(context).remove(context.params.notification_id);
      return { status: 204 };
    },
  }),
  defineRoute("GET", `${BASE}/stream`, {
    operationId: "streamNotifications",
    summary: "Follow the caller's inbox by Server-Sent Events; Last-Event-ID resumes without a gap",
    credentialParameter: "token",
    headers: z.object({
      "Last-Event-ID": z.string().optional().meta({ description: "The last event that arrived; the later ones follow" }),
    }),
    query: z.object({
      token: z.string().optional().meta({ description: "The JWT, where a header cannot be sent" }),
      last_event_id: z.string().optional().meta({ description: "As the Last-Event-ID header" }),
    }),
    responses: { 200: { description: "Events", schema: z.string(), contentType: "text/event-stream" } },
    handle: (context) => streamReply(context, context.request.headers["last-event-id"] ?? context.query.last_event_id),
  }),
];

class StreamClient implements Client {
  readonly stream: OpenStream;
  readonly report: Client["report"];
  readonly #inbox: Inbox;
  /** The last new item sent. A frame about an older item does not move it back. */
  #seq: number;
  #epoch: string;

  constructor(inbox: Inbox, { stream, report, since }: Pick<Client, "stream" | "report"> & { readonly since: InboxPosition }) {
    this.stream = stream;
    this.report = report;
    this.#inbox = inbox;
    this.#seq = since.seq;
    this.#epoch = since.epoch;
  }

  /** The user whose inbox is followed. It is asked for once for all streams of the user. */
  get userId(): string {
    return this.#inbox.owner.userId;
  }

  sendFrame(frame: Frame): void {
    this.stream.send(frameEvent(frame, { seq: this.#seq, epoch: this.#epoch }));
  }

  onEvent(event: InboxEvent): void {
    const frame = eventFrame(event, this);
    if (frame === null) {
      lookAgain(this.#inbox, this, event);
      return;
    }
    if (event.change === "created") {
      this.#seq = event.seq;
      this.#epoch = event.epoch;
      this.stream.send(frameEvent(frame, event));
    } else {
      this.sendFrame(frame);
    }
  }

  onState(recovered: boolean, { seq, epoch }: InboxPosition): void {
    this.#seq = seq;
    this.#epoch = epoch;
    sendState(this.#inbox, this, recovered);
  }

  writable(): Promise<void> | undefined {
    return this.stream.writable();
  }
}

async function streamReply(context: RouteContext, lastEventId: string | undefined): Promise<Reply> {
  const inbox = inboxOf(context);
  // A new client starts at the inbox's current position and gets that position. So it can resume even if it disconnects
  // before anything arrives.
  const { lastSeq, epoch } = await inbox.counts();
  const since = positionOfEventId(lastEventId) ?? { seq: lastSeq, epoch };
  const { report } = context;
  const stream = context.stream((open) => {
    open.send(sseRetry());
    const { subscription } = follow(inbox, new StreamClient(inbox, { stream: open, report, since }), since);
    // A function of its own would keep all that the stream began with.
    return subscription.close.bind(subscription);
  });
  return { status: 200, headers: SSE_HEADERS, stream };
}

/**
 * The contract `inbox-v1`: users with a JWT list, read, delete and follow their notifications.
 *
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [inboxV1()], auth: { jwt: { secret } } }));
 * ```
 */
export function inboxV1(): Contract {
  return defineContract({
    name: "inbox-v1",
    title: "Belfry inbox-v1",
    basePath: BASE,
    credential: "bearer",
    principal: "user",
    routes,
    sockets: [
      {
        path: "/api/v1/ws/events",
        summary: "the caller's inbox, live; `token` or `ticket`, `since` and `epoch` in the query",
        open: openSocket,
      },
    ],
    ping: '{"type":"ping"}',
    errorSchema: fastapiError,
    renderFailure: (failure) => fastapiFailure(failure, "Bearer"),
  });
}
