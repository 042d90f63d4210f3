import type { Issue } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type ChecksOf, pageChecks, requireInput, requireList, requireNone } from "../foundation/issue-list.ts";
import { oneOf, shown, text } from "../foundation/parse-text.ts";
import { type ChangeRequest, cancelSend, requireActing, retrySend, updateSend } from "./change-send.ts";
import type { DeliveryContext } from "./context.ts";
import { type DeliveryPage, type DeliveryRange, SEND_STATUSES, type TrackedDelivery } from "./delivery.ts";
import { getSend, withDigests } from "./read-sends.ts";
import type { Acting, Send, SendAnalytics, SendAnalyticsQuery, SendChanges, SendPage, SendQuery } from "./send.ts";

const DEFAULT_LIMIT = 50;
const DEFAULT_DELIVERIES = 100;
/** How many sends' deliveries are read in one turn of the event loop. */
const SENDS_AT_ONCE = 10;

/** Recipients, and what is compared with them, may be URLs. */
const TEXT = text({ minLength: 1, maxLength: 4_096 });

/** The filter and page of a list of notifications that have deliveries. All given conditions must hold. `limit` is 1 to 100, 50 if left out. Newest first. */
export type ListSendsInput = Partial<SendQuery>;

const STATUS = oneOf(SEND_STATUSES);
const isIssue = (issue: Issue | null) => issue !== null;

const LIST: ChecksOf<SendQuery> = {
  ...pageChecks(100),
  sort: oneOf(["created_at", "-created_at", "status"]),
  status: (value, name) =>
    (Array.isArray(value) && value.length > 0 ? value : [value]).map((one) => STATUS(one, name)).find(isIssue) ?? null,
  channel: TEXT,
  roomId: TEXT,
  recipient: TEXT,
  createdAfter: dateIssue,
  createdBefore: dateIssue,
};
const ANALYTICS: ChecksOf<SendAnalyticsQuery> = { from: dateIssue, before: dateIssue, channel: TEXT, roomId: TEXT };
const DELIVERIES: ChecksOf<DeliveryRange> = pageChecks(1_000);

/**
 * The notifications of one tenant that have deliveries, and how far these got. An id that is unknown, another tenant's, or
 * of a notification without deliveries is `NOT_FOUND`.
 *
 * @example
 * ```ts
 * const { notification } = await notifications.create({ to: { email: "ann@example.com" }, title: "Hello", message: "Hi Ann" });
 * const { status } = await notifications.get(notification.id);
 * ```
 */
export class TrackedNotifications {
  readonly #tenant: string;
  readonly #context: DeliveryContext;

  /** Hosts do not call this. They use a `NotificationService`, or its `tenant(id)`. */
  constructor(tenant: string, context: DeliveryContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /** Returns a notification with its status, its plan and its recipients. @throws BelfryError `NOT_FOUND` */
  get(id: string): Promise<Send> {
    return getSend(this.#context, this.#tenant, id);
  }

  /**
   * A page of the notifications that have deliveries, newest first unless `sort` says otherwise.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter, a limit (1 to 100) or an offset that is out of range
   */
  async list(input: ListSendsInput = {}): Promise<SendPage> {
    requireInput("list", input, LIST);
    const { sort = "-created_at", offset = 0, limit = DEFAULT_LIMIT } = input;
    using _call = await this.#context.ready();
    await this.#context.turns.next();
    return await this.#context.deliveries.listSends(this.#tenant, withinYears({ ...input, sort, offset, limit }));
  }

  /**
   * A page of a notification's deliveries with their attempts, in the order of its recipients. Of a delivery that was attempted
   * more than 100 times, it has the newest 100 attempts.
   *
   * @param range `offset` from 0, `limit` from 1 to 1,000, 100 if left out
   * @throws BelfryError `NOT_FOUND`; `VALIDATION_ERROR` for a range that is not valid
   */
  async deliveries(id: string, range: Partial<DeliveryRange> = {}): Promise<DeliveryPage> {
    requireInput("deliveries", range, DELIVERIES);
    const { offset = 0, limit = DEFAULT_DELIVERIES } = range;
    await this.get(id);
    using _call = await this.#context.ready();
    const { deliveries: storage } = this.#context;
    const [deliveries, total] = await Promise.all([
      storage.deliveriesOf(this.#tenant, [id], { offset, limit }),
      storage.countDeliveries(this.#tenant, id),
    ]);
    return { deliveries: await withDigests(this.#context, this.#tenant, deliveries), total };
  }

  /**
   * The first deliveries, `limit` at the most, of each of several notifications, unknown ones left out: for a page of them. A few
   * are read in one turn of the event loop, and others get their turn in between.
   */
  async firstDeliveries(ids: readonly string[], limit: number): Promise<readonly TrackedDelivery[]> {
    requireList(ids, "ids");
    requireNone([DELIVERIES.limit(limit, "limit")]);
    const { deliveries: storage, turns } = this.#context;
    using _call = await this.#context.ready();
    const known = ids.filter((id) => isUuid(id));
    const deliveries: TrackedDelivery[] = [];
    for (let start = 0; start < known.length; start += SENDS_AT_ONCE) {
      await turns.next();
      const some = known.slice(start, start + SENDS_AT_ONCE);
      deliveries.push(...(await storage.deliveriesOf(this.#tenant, some, { offset: 0, limit })));
    }
    // The caller makes something of them, such as a large answer, in a turn of its own.
    await turns.next();
    return deliveries;
  }

  /**
   * Changes a notification that has not gone out yet. Its inbox items show the change. If it is in more than 100 inboxes, those who follow
   * them are told soon after this resolves, in steps.
   *
   * @throws BelfryError `NOT_FOUND`; `INVALID_STATE` unless it is pending; `VALIDATION_ERROR`, `CONTENT_TOO_LONG`
   */
  async update(id: string, changes: SendChanges, acting: Acting = {}): Promise<Send> {
    return updateSend(this.#context, this.#request(id, acting), changes);
  }

  /** Changes a notification for a contract, whose data may name the type: see {@link update}. */
  async updateFromContract(id: string, changes: SendChanges, acting: Acting): Promise<Send> {
    return updateSend(this.#context, { ...this.#request(id, acting), isContract: true }, changes);
  }

  /**
   * Stops a notification that has not gone out yet. Nothing of it is delivered after this resolves. Inbox items stay. One for
   * more than 1,000 recipients goes to no others than those whom it has reached, or is on its way to; a broadcast to no further inbox.
   *
   * @throws BelfryError `NOT_FOUND`; `INVALID_STATE` once any delivery has settled or is on its way, or, for more than 1,000 recipients, once
   *   nothing is left to stop
   */
  async cancel(id: string, acting: Acting = {}): Promise<Send> {
    return cancelSend(this.#context, this.#request(id, acting));
  }

  /**
   * Retries the failed chains on a fresh schedule. Delivered ones are left alone.
   *
   * @throws BelfryError `NOT_FOUND`; `INVALID_STATE` unless it is failed or partial
   */
  async retry(id: string, acting: Acting = {}): Promise<Send> {
    return retrySend(this.#context, this.#request(id, acting));
  }

  #request(id: string, acting: Acting): ChangeRequest {
    requireActing(id, acting);
    return { tenant: this.#tenant, id, ...acting };
  }

  /** Counts the notifications that have deliveries, by status and channel. */
  async analytics(query: SendAnalyticsQuery = {}): Promise<SendAnalytics> {
    requireInput("analytics", query, ANALYTICS);
    using _call = await this.#context.ready();
    return await this.#context.deliveries.countSends(this.#tenant, withinYears(query));
  }
}

function dateIssue(value: unknown, name: string): Issue | null {
  const isFine = value instanceof Date && !Number.isNaN(value.getTime());
  return isFine ? null : { path: [name], type: "value_error", message: `must be a Date that is valid, is ${shown(value)}` };
}

/** The years that every database has a form for. Nothing is created outside of them, so a filter finds the same within. */
const FIRST_MS = 0;
const LAST_MS = Date.UTC(10_000, 0) - 1;

function withinYears<Filter extends object>(filter: Filter): Filter {
  const bounded = Object.entries(filter).map(([name, value]) => [
    name,
    value instanceof Date ? new Date(Math.min(Math.max(value.getTime(), FIRST_MS), LAST_MS)) : value,
  ]);
  return Object.fromEntries(bounded) as Filter;
}
