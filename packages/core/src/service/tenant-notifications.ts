import { type Created, create } from "../creating/create.ts";
import { parseCreate } from "../creating/parse-create.ts";
import {
  type CallOptionsOf,
  type PreparedNotification,
  type PreparedSend,
  prepared,
  preparedSend,
  refuseSynchronous,
} from "../creating/transactional.ts";
import { send } from "../delivery/create-send.ts";
import { parseSend } from "../delivery/parse-send.ts";
import type { Send } from "../delivery/send.ts";
import type { SendInput, TypedSendInput } from "../delivery/send-input.ts";
import { Sends } from "../delivery/sends.ts";
import { validationError } from "../foundation/errors.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { Hub } from "../hub/hub.ts";
import { Inbox } from "../inbox/inbox.ts";
import type { InboxItem } from "../inbox/inbox-item.ts";
import { listTenant } from "../inbox/list-tenant.ts";
import type { CreateInput, UntypedCreateInput } from "../notifications/create-input.ts";
import type { DataByType } from "../notifications/notification-types.ts";
import { Operator } from "../operator/operator.ts";
import type { Feeds } from "../realtime/route-signals.ts";
import type { Context } from "./context.ts";

const HOST_RULES = { kind: "message", declaredTypesOnly: true } as const;
const HOST_SEND_RULES = { declaredTypesOnly: true, acceptsIds: true } as const;
const CONTRACT_SEND_RULES = { declaredTypesOnly: false, acceptsIds: false } as const;
const CONTRACT_RULES = { kind: "message", declaredTypesOnly: false } as const;

/** The notifications of one tenant: what `notifications.tenant("acme")` returns. */
export class TenantNotifications<
  Data extends DataByType = DataByType,
  Tx = unknown,
  Written extends void | Promise<void> = void | Promise<void>,
> {
  readonly tenantId: string;
  readonly #context: Context<Tx, Written>;
  readonly #feeds: Feeds;
  /** What this tenant has sent over channels: tracking, cancelling, retrying. */
  readonly sends: Sends;
  /** Events that services push in, handlers that process them, and who their senders are. */
  readonly hub: Hub;
  /** What happened in this tenant, and why: for those who run the application. */
  readonly operator: Operator;

  /** Hosts call `notifications.tenant(id)` instead. */
  constructor(tenantId: string, context: Context<Tx, Written>, feeds: Feeds) {
    const issue = textIssue(tenantId, ["tenant"], NAME_RULE);
    if (issue) {
      throw validationError([issue]);
    }
    this.tenantId = tenantId;
    this.#context = context;
    this.#feeds = feeds;
    this.sends = new Sends(tenantId, context as Context);
    this.hub = new Hub(tenantId, context as Context, feeds.hub);
    this.operator = new Operator(tenantId, context as Context);
  }

  /** See {@link NotificationService.create}. */
  async create<Type extends keyof Data = never>(input: CreateInput<Data, Type>, options?: CallOptionsOf<Tx, Written>): Promise<Created> {
    if (options?.tx === undefined) {
      return create(this.#context, this.#request(input));
    }
    refuseSynchronous(this.#context as Context, "create");
    const batch = await this.prepare(input);
    await batch.write(options.tx);
    return { notification: batch.notification, items: [] };
  }

  /** See {@link NotificationService.prepare}. */
  async prepare<Type extends keyof Data = never>(input: CreateInput<Data, Type>): Promise<PreparedNotification<Tx, Written>> {
    const entry = await parseCreate(this.#context, this.#request(input));
    await this.#context.ready();
    return prepared(this.#context, entry);
  }

  /** See {@link NotificationService.send}. */
  async send<Type extends keyof Data = never>(input: TypedSendInput<Data, Type>, options?: CallOptionsOf<Tx, Written>): Promise<Send> {
    const request = { tenant: this.tenantId, input: input as SendInput, rules: HOST_SEND_RULES };
    if (options?.tx === undefined) {
      return send(this.#context as Context, request);
    }
    refuseSynchronous(this.#context as Context, "send");
    const batch = await this.prepareSend(input);
    await batch.write(options.tx);
    return batch.send;
  }

  /** See {@link NotificationService.prepareSend}. */
  async prepareSend<Type extends keyof Data = never>(input: TypedSendInput<Data, Type>): Promise<PreparedSend<Tx, Written>> {
    const parsed = await parseSend(this.#context as Context, { tenant: this.tenantId, input: input as SendInput, rules: HOST_SEND_RULES });
    await this.#context.ready();
    return preparedSend(this.#context, parsed);
  }

  /** Sends what a contract's sender asked for: any type goes, and every recipient must be an address of its channel. */
  sendFromContract(input: SendInput): Promise<Send> {
    return send(this.#context as Context, { tenant: this.tenantId, input, rules: CONTRACT_SEND_RULES });
  }

  /** Creates what a contract's sender asked for: any type goes, because senders over the wire know no declared types. */
  createFromContract(input: UntypedCreateInput): Promise<Created> {
    return create(this.#context, { tenant: this.tenantId, input, rules: CONTRACT_RULES });
  }

  /** One user's inbox in this tenant. */
  inbox(userId: string): Inbox {
    const issue = textIssue(userId, ["user_id"], NAME_RULE);
    if (issue) {
      throw validationError([issue]);
    }
    return new Inbox({ tenant: this.tenantId, userId }, this.#context, this.#feeds.inbox);
  }

  /** Up to `limit` (1 to 1,000) items of all the tenant's inboxes, newest notification first: for operators, not for users. */
  latest(limit: number): Promise<readonly InboxItem[]> {
    return listTenant(this.#context, this.tenantId, limit);
  }

  #request(input: unknown) {
    return { tenant: this.tenantId, input: input as UntypedCreateInput, rules: HOST_RULES };
  }
}
