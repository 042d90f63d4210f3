import type { Activity, ActivityFilter, ActivityPage, ChannelHealth, HealthRange, RetriedAll } from "./activity.ts";
import { type AuditNote, noteAudit, type OperatorContext } from "./context.ts";
import { countActivity, readHealth, readTimeline, type SearchInput, searchActivity } from "./read-activity.ts";
import { countRetryable, type RetryAllOptions, retryAll } from "./retry-all.ts";

/**
 * The operator of one tenant: `notifications.operator`. It sees messages, sends and events in every inbox, so offer it to
 * operators, never to users. To retry or cancel one send, or to read its audit log, use `notifications.sends`.
 *
 * @example
 * ```ts
 * const { notifications: failed } = await notifications.operator.search({ status: "failed", channel: "email" });
 * const [newest] = failed;
 * if (newest) {
 *   const { deliveries } = await notifications.operator.timeline(newest.id);
 *   console.log(deliveries.flatMap(({ attempts }) => attempts.map(({ error }) => error)));
 * }
 * ```
 */
export class Operator {
  readonly #tenant: string;
  readonly #context: OperatorContext;

  /** Hosts do not call this. They use `notifications.operator` or `notifications.tenant(id).operator`. */
  constructor(tenant: string, context: OperatorContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * Returns a page of the matching notifications, newest first; all of them without a filter. The order is that of their
   * ids, which a notification gets when it is created. A filter by time assumes that an id's time and `createdAt` are at
   * most a day apart. That holds unless a clock was put back by more.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter or a limit that cannot be; `INVALID_CURSOR` for a cursor that
   *   another search gave
   */
  search(input: SearchInput = {}): Promise<ActivityPage> {
    return searchActivity(this.#context, this.#tenant, input);
  }

  /** Returns the number of matching notifications, counted up to 10,000. @throws BelfryError `VALIDATION_ERROR` */
  count(filter: ActivityFilter = {}): Promise<number> {
    return countActivity(this.#context, this.#tenant, filter);
  }

  /**
   * Returns all data about one notification: its items in inboxes and who has read them, each delivery with its attempts,
   * the processing records of an event, and the audit log.
   *
   * @throws BelfryError `NOT_FOUND`
   */
  timeline(id: string): Promise<Activity> {
    return readTimeline(this.#context, this.#tenant, id);
  }

  /**
   * Returns the health of each channel, by name: channels with a pending delivery or an attempt in the period. The period
   * has equal parts: an hour in 60 minutes, a day in 48 half hours, a week in 84 times two hours.
   *
   * @throws BelfryError `VALIDATION_ERROR` for another range
   */
  health(range: HealthRange): Promise<readonly ChannelHealth[]> {
    return readHealth(this.#context, this.#tenant, range);
  }

  /**
   * Returns the number of sends that {@link retryAll} would find: failed and partial ones, each counted up to 10,000.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter that cannot be
   */
  countRetryable(filter: ActivityFilter = {}): Promise<number> {
    return countRetryable(this.#context, { tenant: this.#tenant, filter });
  }

  /**
   * Retries the newest failed and partial sends that match, each as `sends.retry` does, and counts the matches before and
   * after. Its `nextCursor` leads to older sends, so that sends that fail again do not block them. It leaves sends alone
   * that change meanwhile. Each retry is separate: after an error, earlier retries stay.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter, a limit or an actor that cannot be; `INVALID_CURSOR`
   * @example
   * ```ts
   * const lastHour = new Date(Date.now() - 3_600_000);
   * const { retried, nextCursor } = await notifications.operator.retryAll({ channel: "email", from: lastHour }, { actor: "ann" });
   * ```
   */
  retryAll(filter: ActivityFilter, options: RetryAllOptions = {}): Promise<RetriedAll> {
    return retryAll(this.#context, { tenant: this.#tenant, filter }, options);
  }

  /**
   * Writes a line of the audit log. Use it for actions that log none: creating a message, or marking a user's item read.
   * Creating, changing, cancelling, retrying and deleting a send writes its own line.
   *
   * @throws BelfryError `VALIDATION_ERROR`
   */
  note(entry: AuditNote): Promise<void> {
    return noteAudit(this.#context, this.#tenant, entry);
  }
}
