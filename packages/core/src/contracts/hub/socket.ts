import type { FeedSubscription } from "../../foundation/context.ts";
import { BelfryError } from "../../foundation/errors.ts";
import { NAME_RULE, textIssue } from "../../foundation/parse-text.ts";
import type { SocketContext, SocketSession } from "../../http/contract.ts";
import type { ContractTenant } from "../../http/route.ts";
import type { HubEvent, SourceRecord } from "../../hub/index.ts";
import { type ClientMessage, MessageSocket } from "../message-socket.ts";

// Every subscriber of this process gets the same object for an event or record, so its frame is made once.
const written = new WeakMap<object, string>();

/** Returns the frame of an event. */
export function eventFrame(event: HubEvent): string {
  const { id, source, sender, content, metadata } = event;
  return once(event, { type: "notification", notification_id: id, source_service: source, sender_id: sender, content, metadata });
}

/** Returns the frame of a processing record. */
export function recordFrame(record: SourceRecord): string {
  const { notificationId, handlerId, status, result, error } = record;
  const of = { notification_id: notificationId, handler_id: handlerId, status };
  return once(record, status === "COMPLETED" ? { type: "processing_result", ...of, result } : { type: "processing_error", ...of, error });
}

function once(of: object, frame: object): string {
  const text = written.get(of) ?? JSON.stringify(frame);
  written.set(of, text);
  return text;
}

const MAX_SUBSCRIPTIONS = 100;

/** Opens the WebSocket session of `hub`. */
export function openHubSocket(context: SocketContext): SocketSession {
  const { principal, service } = context;
  if (principal?.kind !== "client") {
    throw new Error("The hub's socket was opened without a client.");
  }
  const session = new HubSocket(context, service.tenant(principal.tenant), principal.keyId ?? principal.tenant);
  session.welcome();
  return session;
}

class HubSocket extends MessageSocket {
  readonly #tenant: ContractTenant;
  /** The client that acknowledges events. */
  readonly #client: string;
  readonly #subscriptions = new Map<string, FeedSubscription>();

  constructor(context: SocketContext, tenant: ContractTenant, client: string) {
    super(context);
    this.#tenant = tenant;
    this.#client = client;
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
      const subscription = this.#tenant.hub.events.subscribe(source, {
        onEvent: (event) => stream.send(eventFrame(event)),
        onSettled: (record) => stream.send(recordFrame(record)),
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
    const { principal } = this.context;
    if (principal?.kind === "client" && principal.scopes?.includes("write") === false) {
      this.error("The API key may not write");
      return;
    }
    try {
      await this.#tenant.hub.events.acknowledge(id, this.#client);
      this.send({ type: "system", message: `Acknowledged notification ${id}`, notification_id: id });
    } catch (error) {
      if (error instanceof BelfryError && error.code === "NOT_FOUND") {
        this.error("Notification not found");
        return;
      }
      throw error;
    }
  }

  protected override error(message: string): void {
    this.send({ type: "error", message });
  }
}

function isName(value: unknown): value is string {
  return typeof value === "string" && textIssue(value, [], NAME_RULE) === null;
}
