import {
  type CallOptionsOf,
  create,
  HOST_RULES,
  type PreparedNotification,
  type PreparedSend,
  parseCreate,
  prepared,
  preparedSend,
  refuseSynchronous,
  type TransactionsOf,
} from "../creating/index.ts";
import { type Acting, parseSend, type Send, type SendInput, Sends, send, type TypedSendInput } from "../delivery/index.ts";
import type { Owner } from "../foundation/context.ts";
import { validationError } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { Hub } from "../hub/index.ts";
import { type Created, Inbox, type InboxItem, listTenant } from "../inbox/index.ts";
import type { CreateInput, DataByType, UntypedCreateInput } from "../notifications/index.ts";
import { Operator } from "../operator/index.ts";
import { deleteNotification } from "../privacy/index.ts";
import type { Feeds } from "../realtime/index.ts";
import type { Contexts } from "./contexts.ts";

const HOST_SEND_RULES = { declaredTypesOnly: true, acceptsIds: true } as const;
const CONTRACT_SEND_RULES = { declaredTypesOnly: false, acceptsIds: false } as const;
const CONTRACT_RULES = { kind: "message", declaredTypesOnly: false } as const;

/** What the notifications of a tenant are put together from. */
export interface TenantParts<Tx, Written extends void | Promise<void>> {
  readonly contexts: Contexts<Tx, Written>;
  readonly storage: TransactionsOf;
  readonly feeds: Feeds;
}

/** The notifications of one tenant: what `notifications.tenant("acme")` returns. */
export class TenantNotifications<
  Data extends DataByType = DataByType,
  Tx = unknown,
  Written extends void | Promise<void> = void | Promise<void>,
> {
  readonly tenantId: string;
  readonly #contexts: Contexts<Tx, Written>;
  readonly #storage: TransactionsOf;
  readonly #feeds: Feeds;
  /** What this tenant has sent over channels: tracking, cancelling, retrying. */
  readonly sends: Sends;
  /** Events that services push in, handlers that process them, and who their senders are. */
  readonly hub: Hub;
  /** What happened in this tenant, and why: for those who run the application. */
  readonly operator: Operator;

  /** Hosts call `notifications.tenant(id)` instead. */
  constructor(tenantId: string, { contexts, storage, feeds }: TenantParts<Tx, Written>) {
    const issue = textIssue(tenantId, ["tenant"], NAME_RULE);
    if (issue) {
      throw validationError([issue]);
    }
    this.tenantId = tenantId;
    this.#contexts = contexts;
    this.#storage = storage;
    this.#feeds = feeds;
    this.sends = new Sends(tenantId, contexts.delivery);
    this.hub = new Hub(tenantId, contexts.hub, feeds.hub);
    this.operator = new Operator(tenantId, contexts.operator);
  }

  /** See {@link NotificationService.create}. */
  async create<Type extends keyof Data = never>(input: CreateInput<Data, Type>, options?: CallOptionsOf<Tx, Written>): Promise<Created> {
    if (options?.tx === undefined) {
      return create(this.#contexts.creating, this.#request(input));
    }
    refuseSynchronous(this.#storage, "create");
    const batch = await this.prepare(input);
    await batch.write(options.tx);
    return { notification: batch.notification, items: [] };
  }

  /** See {@link NotificationService.prepare}. */
  async prepare<Type extends keyof Data = never>(input: CreateInput<Data, Type>): Promise<PreparedNotification<Tx, Written>> {
    const entry = await parseCreate(this.#contexts.creating, this.#request(input));
    using _call = await this.#contexts.creating.ready();
    return prepared(this.#contexts.creating, entry);
  }

  /** See {@link NotificationService.send}. */
  async send<Type extends keyof Data = never>(input: TypedSendInput<Data, Type>, options?: CallOptionsOf<Tx, Written>): Promise<Send> {
    const request = { tenant: this.tenantId, input: input as SendInput, rules: HOST_SEND_RULES };
    if (options?.tx === undefined) {
      return send(this.#contexts.delivery, request);
    }
    refuseSynchronous(this.#storage, "send");
    const batch = await this.prepareSend(input);
    await batch.write(options.tx);
    return batch.send;
  }

  /** See {@link NotificationService.prepareSend}. */
  async prepareSend<Type extends keyof Data = never>(input: TypedSendInput<Data, Type>): Promise<PreparedSend<Tx, Written>> {
    const parsed = await parseSend(this.#contexts.delivery, { tenant: this.tenantId, input: input as SendInput, rules: HOST_SEND_RULES });
    using _call = await this.#contexts.delivery.ready();
    return preparedSend(this.#contexts.delivery, parsed);
  }

  /** Sends what a contract's sender asked for: any type goes, and every recipient must be an address of its channel. */
  sendFromContract(input: SendInput): Promise<Send> {
    return send(this.#contexts.delivery, { tenant: this.tenantId, input, rules: CONTRACT_SEND_RULES });
  }

  /** Creates what a contract's sender asked for: any type goes, because senders over the wire know no declared types. */
  createFromContract(input: UntypedCreateInput): Promise<Created> {
    return create(this.#contexts.creating, { tenant: this.tenantId, input, rules: CONTRACT_RULES });
  }

  /** One user's inbox in this tenant. */
  inbox(userId: string): Inbox {
    return new Inbox(this.#owner(userId), this.#contexts.inbox, this.#feeds.inbox);
  }

  /** See {@link NotificationService.delete}. */
  delete(id: string, acting: Acting = {}): Promise<void> {
    return deleteNotification(this.#contexts.privacy, this.tenantId, { ...acting, id });
  }

  /** Up to `limit` (1 to 1,000) items of all the tenant's inboxes, newest notification first: for operators, not for users. */
  latest(limit: number): Promise<readonly InboxItem[]> {
    return listTenant(this.#contexts.inbox, this.tenantId, limit);
  }

  #owner(userId: string): Owner {
    const issue = textIssue(userId, ["user_id"], NAME_RULE);
    if (issue) {
      throw validationError([issue]);
    }
    return { tenant: this.tenantId, userId };
  }

  #request(input: unknown) {
    return { tenant: this.tenantId, input: input as UntypedCreateInput, rules: HOST_RULES };
  }
}
