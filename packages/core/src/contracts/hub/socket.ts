import type { FeedSubscription } from "../../foundation/context.ts";
import { NAME_RULE, textIssue } from "../../foundation/parse-text.ts";
import type { SocketContext, SocketSession } from "../../http/contract.ts";
import type { ClientPrincipal } from "../../http/principal.ts";
import type { HubEvent, HubEvents, SourceRecord } from "../../hub/index.ts";
import { type ClientMessage, MessageSocket } from "../message-socket.ts";

// Every subscriber of this process gets the same object for an event or record, so its frame is made once.
const written = new WeakMap<object, string>();

/** Returns the text of a frame. */
function once<Subject extends object>(subject: Subject, frameOf: (subject: Subject) => object): string {
  const text = written.get(subject) ?? JSON.stringify(frameOf(subject));
  written.set(subject, text);
  return text;
}

function eventFrame({ id, source, sender, content, metadata }: HubEvent): object {
  return { type: "notification", notification_id: id, source_service: source, sender_id: sender, content, metadata };
}

function recordFrame({ notificationId, handlerId, status, result, error }: SourceRecord): object {
  const of = { notification_id: notificationId, handler_id: handlerId, status };
  return status === "COMPLETED" ? { type: "processing_result", ...of, result } : { type: "processing_error", ...of, error };
}

const MAX_SUBSCRIPTIONS = 100;

/** Opens the WebSocket session of `hub`. */
export function openHubSocket(context: SocketContext): SocketSession {
  const { principal } = context;
  if (principal?.kind !== "client") {
    throw new Error("The hub's socket was opened without a client.");
  }
  const session = new HubSocket(context, principal);
  session.welcome();
  return session;
}

class HubSocket extends MessageSocket {
  readonly #client: ClientPrincipal;
  readonly #events: HubEvents;
  readonly #subscriptions = new Map<string, FeedSubscription>();

  constructor(context: SocketContext, client: ClientPrincipal) {
    super(context);
    this.#client = client;
    this.#events = context.service.tenant(client.tenant).hub.events;
  }

  welcome(): void {
    this.send({ type: "system", message: "Connected to notification system", client_id: crypto.randomUUID() });
  }

  override closed(): void {
    super.closed();
    for (const subscription of this.#subscriptions.values()) {
      subscription.close();
    }
    this.#subscriptions.clear();
  }

  protected override async answer(message: ClientMessage): Promise<void> {
    if (message.action === "subscribe" && isName(message.source_service)) {
      await this.#subscribe(message.source_service);
    } else if (message.action === "unsubscribe" && isName(message.source_service)) {
      this.#unsubscribe(message.source_service);
    } else if (message.type === "ack" && typeof message.notification_id === "string") {
      await this.#acknowledge(message.notification_id);
    } else {
      this.error("Invalid message format");
    }
  }

  async #subscribe(source: string): Promise<void> {
    if (!this.#subscriptions.has(source)) {
      if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
        this.error(`A connection can have at most ${MAX_SUBSCRIPTIONS} subscriptions`);
        return;
      }
      const { stream } = this.context;
      const subscription = this.#events.subscribe(source, {
        onEvent: (event) => stream.send(once(event, eventFrame)),
        onSettled: (record) => stream.send(once(record, recordFrame)),
      });
      this.#subscriptions.set(source, subscription);
      try {
        // A client that gets "subscribed" misses nothing after it.
        await subscription.ready;
      } catch (error) {
        subscription.close();
        this.#subscriptions.delete(source);
        throw error;
      }
    }
    this.send({ type: "system", message: `Subscribed to ${source}`, subscription: source });
  }

  #unsubscribe(source: string): void {
    this.#subscriptions.get(source)?.close();
    this.#subscriptions.delete(source);
    this.send({ type: "system", message: `Unsubscribed from ${source}`, subscription: source });
  }

  async #acknowledge(id: string): Promise<void> {
    const { scopes, keyId, tenant } = this.#client;
    if (scopes?.includes("write") === false) {
      this.error("The API key may not write");
      return;
    }
    await this.sendAcknowledged(async () => {
      await this.#events.acknowledge(id, keyId ?? tenant);
      return { type: "system", message: `Acknowledged notification ${id}`, notification_id: id };
    });
  }

  protected override error(message: string): void {
    this.send({ type: "error", message });
  }
}

function isName(value: unknown): value is string {
  return typeof value === "string" && textIssue(value, [], NAME_RULE) === null;
}
