import type { Activity, ActivityFilter, ActivityPage, ChannelHealth, HealthRange, RetriedAll } from "./activity.ts";
import type { OperatorContext } from "./context.ts";
import { type AuditNote, noteAudit } from "./note-audit.ts";
import { readHealth } from "./read-health.ts";
import { readTimeline } from "./read-timeline.ts";
import { countRetryable, type RetryAllOptions, retryAll } from "./retry-all.ts";
import { countActivity, type SearchInput, searchActivity } from "./search-activity.ts";

/**
 * What happened in one tenant, and why: `notifications.operator`. It sees messages, sends and events alike, in every
 * inbox, so it is for those who run the application, never for its users. One send is retried or cancelled, and its
 * audit log is read, by `notifications.sends`.
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

  /** Hosts use `notifications.operator` or `notifications.tenant(id).operator` instead. */
  constructor(tenant: string, context: OperatorContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * A page of the notifications that match, newest first; everything, if no filter is given. The order is that of their
   * ids, which a notification gets when it is created. A filter by time takes it that an id's own time and `createdAt`
   * are at most a day apart, as they are unless a clock was put back by more.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter or a limit that cannot be; `INVALID_CURSOR` for a cursor that
   *   another search gave
   */
  search(input: SearchInput = {}): Promise<ActivityPage> {
    return searchActivity(this.#context, this.#tenant, input);
  }

  /** How many notifications match, counted up to 10,000. @throws BelfryError `VALIDATION_ERROR` */
  count(filter: ActivityFilter = {}): Promise<number> {
    return countActivity(this.#context, this.#tenant, filter);
  }

  /**
   * Everything known of one notification: where it is in inboxes and who has read it, each delivery with each of its
   * attempts, what an event's handlers made of it, and what people did to it.
   *
   * @throws BelfryError `NOT_FOUND`
   */
  timeline(id: string): Promise<Activity> {
    return readTimeline(this.#context, this.#tenant, id);
  }

  /**
   * How each channel does, by name: those with anything pending, or any attempt in the while. The while comes in equal
   * parts: an hour in 60 minutes, a day in 48 half hours, a week in 84 times two hours.
   *
   * @throws BelfryError `VALIDATION_ERROR` for another range
   */
  health(range: HealthRange): Promise<readonly ChannelHealth[]> {
    return readHealth(this.#context, this.#tenant, range);
  }

  /**
   * How many sends {@link retryAll} would find with this filter: failed ones and partial ones, each counted up to 10,000.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter that cannot be
   */
  countRetryable(filter: ActivityFilter = {}): Promise<number> {
    return countRetryable(this.#context, { tenant: this.#tenant, filter });
  }

  /**
   * Retries the newest failed and partial sends that match, each as `sends.retry` does it, and counts what matches
   * before and after. Its `nextCursor` leads to older ones, so that what fails once more is not all that is ever tried. A
   * send that changes meanwhile is left alone. Each retry is an act of its own: after an error, what was retried before
   * stays so.
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
   * Writes a line of the audit log, for what an operator does that leaves none by itself: creating a message, or
   * marking a user's item as read. Creating, changing, cancelling, retrying and deleting sends does.
   *
   * @throws BelfryError `VALIDATION_ERROR`
   */
  note(entry: AuditNote): Promise<void> {
    return noteAudit(this.#context, this.#tenant, entry);
  }
}
