import { type ChangeRequest, cancelSend, removeSend, requireActing, retrySend, updateSend } from "./change-send.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryPage, DeliveryRange, TrackedDelivery } from "./delivery.ts";
import {
  type AuditInput,
  countSends,
  firstDeliveries,
  getSend,
  type ListSendsInput,
  listAudit,
  listDeliveries,
  listSends,
} from "./read-sends.ts";
import type { AuditEntry, Send, SendAnalytics, SendAnalyticsQuery, SendChanges, SendPage } from "./send.ts";
import type { Acting } from "./send-input.ts";

/**
 * The sends of one tenant: `notifications.sends`. Ids are those of the notifications; an id that is unknown, another
 * tenant's, or not of a send is `NOT_FOUND`.
 *
 * @example
 * ```ts
 * const send = await notifications.send({ channel: "email", to: "ann@example.com", subject: "Hello", content: "Hi Ann" });
 * const { status } = await notifications.sends.get(send.id);
 * ```
 */
export class Sends {
  readonly #tenant: string;
  readonly #context: DeliveryContext;

  /** Hosts do not call this. They use `notifications.sends` or `notifications.tenant(id).sends`. */
  constructor(tenant: string, context: DeliveryContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /** Returns one send in its current state. @throws BelfryError `NOT_FOUND` */
  get(id: string): Promise<Send> {
    return getSend(this.#context, this.#tenant, id);
  }

  /**
   * A page of sends, newest first unless `sort` says otherwise.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter, a limit (1 to 100) or an offset that is out of range
   */
  list(input: ListSendsInput = {}): Promise<SendPage> {
    return listSends(this.#context, this.#tenant, input);
  }

  /**
   * A page of a send's deliveries with their attempts, in the order of its recipients. Of a delivery that was attempted
   * more than 100 times, it has the newest 100 attempts.
   *
   * @param range `offset` from 0, `limit` from 1 to 1,000, 100 if left out
   * @throws BelfryError `NOT_FOUND`; `VALIDATION_ERROR` for a range that is not valid
   */
  deliveries(id: string, range: Partial<DeliveryRange> = {}): Promise<DeliveryPage> {
    return listDeliveries(this.#context, { tenant: this.#tenant, id }, range);
  }

  /** The first deliveries, `limit` at the most, of each of several sends, unknown ones left out: for a page of sends. */
  firstDeliveries(ids: readonly string[], limit: number): Promise<readonly TrackedDelivery[]> {
    return firstDeliveries(this.#context, this.#tenant, { ids, limit });
  }

  /**
   * Changes a send that has not gone out yet.
   *
   * @throws BelfryError `NOT_FOUND`; `INVALID_STATE` unless the send is pending; `VALIDATION_ERROR`, `CONTENT_TOO_LONG`
   */
  async update(id: string, changes: SendChanges, acting: Acting = {}): Promise<Send> {
    return updateSend(this.#context, this.#request(id, acting), changes);
  }

  /**
   * Stops a send that has not gone out yet. Nothing of it is sent after this resolves. Inbox items stay.
   *
   * @throws BelfryError `NOT_FOUND`; `INVALID_STATE` once any delivery has settled or is on its way
   */
  async cancel(id: string, acting: Acting = {}): Promise<Send> {
    return cancelSend(this.#context, this.#request(id, acting));
  }

  /**
   * Retries the failed chains on a fresh schedule. Delivered ones are left alone.
   *
   * @throws BelfryError `NOT_FOUND`; `INVALID_STATE` unless the send is failed or partial
   */
  async retry(id: string, acting: Acting = {}): Promise<Send> {
    return retrySend(this.#context, this.#request(id, acting));
  }

  /** Deletes a send for good, with its deliveries and inbox items, and stops what is pending. @throws BelfryError `NOT_FOUND` */
  async remove(id: string, acting: Acting = {}): Promise<void> {
    return removeSend(this.#context, this.#request(id, acting));
  }

  #request(id: string, acting: Acting): ChangeRequest {
    requireActing(id, acting);
    return { tenant: this.#tenant, id, ...acting };
  }

  /** Counts sends by status and channel. */
  analytics(query: SendAnalyticsQuery = {}): Promise<SendAnalytics> {
    return countSends(this.#context, this.#tenant, query);
  }

  /** Returns the audit log of creating, changing, cancelling, retrying and deleting, newest first. */
  auditLog(input: AuditInput = {}): Promise<readonly AuditEntry[]> {
    return listAudit(this.#context, this.#tenant, input);
  }
}
