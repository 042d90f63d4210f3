import { z } from "zod";
import type { FeedSubscription } from "../../foundation/context.ts";
import { requireNone } from "../../foundation/issue-list.ts";
import type { SocketContext, SocketHandshake, SocketSession } from "../../http/contract.ts";
import { defineRoute, given, type OpenStream, type Reply, type Route, type RouteContext, reply } from "../../http/route.ts";
import { SSE_HEADERS, sseRetry } from "../../http/sse.ts";
import type { Inbox, InboxCounts, InboxEvent, InboxListener, InboxPosition, LocaleInput } from "../../inbox/index.ts";
import { localeIssue } from "../../notifications/index.ts";
import { eventAt, positionText } from "../event-at.ts";
import { frameOnce } from "../frame-once.ts";
import { isoDate } from "../iso-date.ts";
import { type ClientMessage, MessageSocket } from "../message-socket.ts";
import { errors } from "./failure.ts";
import { countsJson, itemJson } from "./item.ts";
import { locale } from "./locale.ts";
import { BASE, ownInbox } from "./own-inbox.ts";
import { positionOf } from "./position.ts";

/** The version of the frames. A client that knows only older ones lists the inbox anew. */
const VERSION = 1;

/** The text of an event. All clients of a user get the same. */
const changeFrame = frameOnce(({ item, at, counts, ...event }: InboxEvent): string => {
  return JSON.stringify({
    ...{ v: VERSION, type: "change", ...event, item: item === null ? null : itemJson(item) },
    ...(at === undefined ? {} : { at: isoDate(at) }),
    ...(counts === undefined ? {} : { counts: countsJson(counts) }),
  });
});

function stateFrame(recovered: boolean, position: InboxPosition, counts: InboxCounts): string {
  return JSON.stringify({ v: VERSION, type: "state", recovered, position: positionText(position), counts: countsJson(counts) });
}

/** How a client is written to. */
interface Wire {
  readonly stream: OpenStream;
  /** Sends a frame. @param at where the client is behind it */
  write(frame: string, at: InboxPosition): void;
  report(error: unknown, message: string): void;
}

/** Where a client begins, and in which language it is shown items. */
interface From extends LocaleInput {
  readonly since: InboxPosition;
}

/** A client that follows its inbox. It is told where it is: what it stores to resume from. */
class Follower implements InboxListener {
  readonly #inbox: Inbox;
  readonly #wire: Wire;
  #at: InboxPosition;

  constructor(inbox: Inbox, wire: Wire, since: InboxPosition) {
    this.#inbox = inbox;
    this.#wire = wire;
    this.#at = since;
  }

  /** Follows an inbox from a position on. */
  static follow(inbox: Inbox, wire: Wire, { since, ...input }: From): FeedSubscription {
    const subscription = inbox.subscribe(new Follower(inbox, wire, since), since, input);
    subscription.ready.catch((error: unknown) => failed(wire, error));
    return subscription;
  }

  onEvent(event: InboxEvent): void {
    this.#pass(event);
    this.#wire.write(changeFrame(event), this.#at);
  }

  onState(recovered: boolean, position: InboxPosition, counts: InboxCounts | null): void {
    this.#at = position;
    if (counts !== null) {
      this.#wire.write(stateFrame(recovered, position, counts), position);
      return;
    }
    // Events may have been written meanwhile: a client must not be taken back behind them.
    this.#inbox.counts().then(
      (read) => this.#wire.write(stateFrame(recovered, this.#at, read), this.#at),
      (error: unknown) => failed(this.#wire, error),
    );
  }

  writable(): Promise<void> | undefined {
    return this.#wire.stream.writable();
  }

  /** An older item that changes takes nobody back, and of a change of many items only the last event counts. */
  #pass({ change, seq, epoch, rev, left = 0 }: InboxEvent): void {
    if (change === "created") {
      this.#at = { ...this.#at, seq, epoch };
    } else if (rev !== undefined && left === 0 && this.#at.rev !== undefined) {
      this.#at = { ...this.#at, rev };
    }
  }
}

function failed({ stream, report }: Wire, error: unknown): void {
  report(error, "Belfry could not read an inbox for a stream; the client is to come again.");
  stream.close(1011, "try again");
}

/** The position where a client begins that named none: what is there now. It is told of it at once, so that it can resume. */
async function present(inbox: Inbox): Promise<InboxPosition> {
  const { lastSeq: seq, epoch, rev } = await inbox.counts();
  return { seq, epoch, rev };
}

const since = z
  .string()
  .max(64)
  .optional()
  .meta({ description: "The position to resume from, `epoch:seq:rev`, as states and events have it" });

/** The routes that follow the caller's inbox. */
export const followingRoutes: readonly Route[] = [
  defineRoute("GET", `${BASE}/inbox/stream`, {
    operationId: "followInbox",
    summary: "Follow the caller's inbox by Server-Sent Events; `since` or Last-Event-ID resumes without a gap",
    headers: z.object({ "Last-Event-ID": z.string().optional().meta({ description: "The id of the last event that arrived" }) }),
    query: z.strictObject({ since, locale }),
    responses: { 200: { description: "Events", schema: z.string(), contentType: "text/event-stream" }, ...errors(422) },
    handle: async (context) =>
      streamReply(context, { position: context.request.headers["last-event-id"] ?? context.query.since, language: context.query.locale }),
  }),
  defineRoute("POST", `${BASE}/inbox/ticket`, {
    operationId: "createTicket",
    summary: "Get a ticket that opens the WebSocket once",
    responses: {
      201: {
        description: "The ticket, for `?ticket=`",
        schema: z.object({ ticket: z.string(), expiresInMs: z.int().meta({ description: "How long it may wait to be used" }) }),
      },
      200: { description: "No ticket: this server opens no WebSockets, so follow the stream", schema: z.object({ ticket: z.null() }) },
      ...errors(422),
    },
    async handle({ service, request, hasSockets }) {
      if (!hasSockets) {
        return reply({ ticket: null });
      }
      const { ticket, lifetimeMs } = await service.socketTickets.issue(request.headers);
      return reply({ ticket, expiresInMs: lifetimeMs }, 201);
    },
  }),
];

/** From where on a client asks to follow, and in which language. */
interface Asked {
  readonly position: string | undefined;
  readonly language: string | undefined;
}

async function streamReply(context: RouteContext, { position, language }: Asked): Promise<Reply> {
  const inbox = ownInbox(context);
  requireNone([language === undefined ? null : localeIssue(language, "locale")]);
  const from = { since: positionOf(position) ?? (await present(inbox)), ...given({ locale: language }) };
  const { report } = context;
  const stream = context.stream((open) => {
    open.send(sseRetry());
    const write = (frame: string, at: InboxPosition) => open.send(eventAt("message", frame, at));
    const subscription = Follower.follow(inbox, { stream: open, write, report }, from);
    // A function of its own would keep all that the stream began with.
    return subscription.close.bind(subscription);
  });
  return { status: 200, headers: SSE_HEADERS, stream };
}

/** Opens the WebSocket session: the ticket is in the query, the token in a header from clients that can send one. */
export function openSocket(context: SocketContext, handshake: SocketHandshake): SocketSession {
  const session = new InboxSocket(context);
  session.start(handshake);
  return session;
}

class InboxSocket extends MessageSocket {
  #following: FeedSubscription | null = null;

  start(handshake: SocketHandshake): void {
    this.next(() => this.#open(handshake));
  }

  override closed(): void {
    super.closed();
    this.#following?.close();
    this.#following = null;
  }

  async #open({ query, request }: SocketHandshake): Promise<void> {
    const [, token = ""] = /^bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? "") ?? [];
    const principal = this.context.principal ?? (await this.context.authenticate("bearer", token));
    if (this.isClosed) {
      return;
    }
    const { stream } = this.context;
    if (principal?.kind !== "user") {
      this.#refuse("There is no valid ticket or token.", 4401, "unauthenticated");
      return;
    }
    const inbox = this.context.service.tenant(principal.tenant).inbox(principal.userId);
    const language = query.get("locale");
    if (language !== null && localeIssue(language, "locale") !== null) {
      this.#refuse(`The locale must be a BCP 47 tag such as "en" or "pt-BR".`, 4400, "bad locale");
      return;
    }
    const from = { since: positionOf(query.get("since")) ?? (await present(inbox)), ...given({ locale: language }) };
    if (!this.isClosed) {
      const report = (error: unknown, message: string) => this.context.report(error, message);
      this.#following = Follower.follow(inbox, { stream, write: (frame) => stream.send(frame), report }, from);
    }
  }

  #refuse(message: string, code: number, reason: string): void {
    this.error(message);
    this.context.stream.close(code, reason);
    this.closed();
  }

  protected override answer({ type }: ClientMessage): void {
    if (type !== "pong") {
      this.error("A client of this socket says nothing but pong.");
    }
  }

  protected override error(message: string): void {
    this.send({ v: VERSION, type: "error", message });
  }
}
