import type { FeedSubscription } from "../../foundation/context.ts";
import type { SocketContext, SocketHandshake, SocketSession } from "../../http/contract.ts";
import type { OpenStream } from "../../http/route.ts";
import type { Inbox, InboxEvent } from "../../inbox/index.ts";
import { type ClientMessage, MessageSocket } from "../message-socket.ts";
import { checkFilters, type Filters, filtersOfQuery, type Wants, wantsOf } from "./filters.ts";
import { type Client, follow, lookAgain, sendState } from "./follow.ts";
import { eventFrame, type Frame, positionOfQuery } from "./frames.ts";

/** Opens the WebSocket session of `inbox-v1`: the ticket or the token is in the query. A bad token gets an error frame and 4401. */
export function openSocket(context: SocketContext, handshake: SocketHandshake): SocketSession {
  const session = new InboxSocket(context);
  session.start(handshake);
  return session;
}

/** Returns the token of the handshake: in the query, or in a header from clients that can send one. */
function tokenOf({ query, request }: SocketHandshake): string {
  const [, bearer = ""] = /^bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? "") ?? [];
  return query.get("token") ?? bearer;
}

class InboxSocket extends MessageSocket implements Client {
  /** Returns whether the client wants an event; null until it subscribes to some, and gets every event. */
  #wants: Wants | null = null;
  #following: FeedSubscription | null = null;

  start(handshake: SocketHandshake): void {
    this.next(() => this.#open(handshake));
  }

  get stream(): OpenStream {
    return this.context.stream;
  }

  sendFrame(frame: Frame): void {
    this.stream.send(frame.text);
  }

  onEvent(event: InboxEvent): void {
    const frame = eventFrame(event, this);
    if (frame === null) {
      // Looked up here only: it is made anew each time, and most events have a frame.
      const inbox = this.#inbox;
      if (inbox !== null) {
        lookAgain(inbox, this, event);
      }
    } else if (this.#wants === null || this.#wants(frame.type, event)) {
      this.context.stream.send(frame.text);
    }
  }

  onState(recovered: boolean): void {
    const inbox = this.#inbox;
    if (inbox !== null) {
      sendState(inbox, this, recovered);
    }
  }

  writable(): Promise<void> | undefined {
    return this.stream.writable();
  }

  /** The user whose inbox is followed; "" before a caller is known. */
  get userId(): string {
    const { principal } = this.context;
    return principal?.kind === "user" ? principal.userId : "";
  }

  get #inbox(): Inbox | null {
    const { principal, service } = this.context;
    return principal?.kind === "user" ? service.tenant(principal.tenant).inbox(principal.userId).activeOnly() : null;
  }

  report(error: unknown, message: string): void {
    this.context.report(error, message);
  }

  override closed(): void {
    super.closed();
    this.#following?.close();
    this.#following = null;
  }

  async #open(handshake: SocketHandshake): Promise<void> {
    const { query } = handshake;
    const principal = this.context.principal ?? (await this.context.authenticate("bearer", tokenOf(handshake)));
    if (this.isClosed) {
      return;
    }
    if (principal?.kind !== "user") {
      this.error("Could not validate credentials");
      this.stream.close(4401, "unauthenticated");
      this.closed();
      return;
    }
    const inbox = this.context.service.tenant(principal.tenant).inbox(principal.userId).activeOnly();
    const filters = filtersOfQuery(query);
    if (filters !== null && typeof filters !== "string") {
      this.#wants = wantsOf(filters, inbox.owner);
    }
    const since = positionOfQuery(query);
    const { subscription, ready } = follow(inbox, this, since);
    this.#following = subscription;
    if (since === undefined) {
      // A client that gets an answer misses nothing after it. (After a replay, the state frame says so.)
      await ready;
    }
    if (filters !== null) {
      this.#filter(filters, inbox);
    }
  }

  protected override async answer(message: ClientMessage): Promise<void> {
    if (message.type === "subscribe") {
      this.#filter(checkFilters(message), this.#inbox);
    } else if (message.type === "ack") {
      await this.sendAcknowledged(async () => {
        const id = typeof message.notification_id === "string" ? message.notification_id : "";
        const acknowledged = await this.#inbox?.acknowledge(id);
        return { status: "acknowledged", notification_id: acknowledged?.item.id, fallback: acknowledged?.fallback };
      });
    } else if (message.type !== "pong") {
      this.error("Unknown message type");
    }
  }

  /** Narrows the later events and answers with the filters. Wrong filters get an error, and the old ones stay. */
  #filter(filters: Filters | string, inbox: Inbox | null): void {
    if (typeof filters === "string") {
      this.error(filters);
    } else if (inbox !== null) {
      this.#wants = wantsOf(filters, inbox.owner);
      this.send({ status: "subscribed", filters });
    }
  }

  protected override error(error: string): void {
    this.send({ error });
  }
}
