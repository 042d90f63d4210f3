import { type AuditEntry, actorOf, type Send } from "../delivery/index.ts";
import { compareBytewise } from "../foundation/compare-bytewise.ts";
import { type Checks, requireId, requireInput, requireNone } from "../foundation/issue-list.ts";
import { oneOf } from "../foundation/parse-text.ts";
import type { Activity, ActivityFilter, ActivityPage, ChannelBacklog, ChannelHealth, HealthRange, RetriedAll } from "./activity.ts";
import type { StateFilter } from "./activity-storage.ts";
import type { Alarm } from "./alarm.ts";
import { shownAlarm } from "./alarm-message.ts";
import { type AuditInput, type AuditNote, readAudit, writeNote } from "./audit.ts";
import type { OperatorContext } from "./context.ts";
import { OperatorDeliveries } from "./deliveries.ts";
import { Endpoints } from "./endpoints.ts";
import { type ActivityScope, afterCursor, cursorBehind, parseFilter } from "./parse-filter.ts";
import { Pauses } from "./pauses.ts";
import { HEALTH_RANGES, readBacklog, readHealth } from "./read-health.ts";
import { readTimeline, type TimelineInput } from "./read-timeline.ts";
import { readWorkHealth } from "./read-work-health.ts";
import { Records } from "./records.ts";
import { RETRY, RETRY_ALL, type RetryAllOptions, type RetryOptions } from "./retry-input.ts";
import { RetryRuns } from "./retry-runs.ts";
import { retryUnlessChanged } from "./retrying.ts";
import { BEGINNING, PAGE, RECIPIENTS, type RecipientsInput, type SearchInput } from "./search-input.ts";
import { sendTest, type TestInput } from "./send-test.ts";
import { summaryOf } from "./standings.ts";
import { stateFilter } from "./state-filter.ts";
import type { WorkHealth } from "./work-health.ts";

const DEFAULT_LIMIT = 50;
/** The highest count. A count takes time in proportion to its matches, and nobody needs more. */
const MAX_COUNT = 10_000;
const DEFAULT_RECIPIENTS = 10;
const DEFAULT_RETRIES = 100;

/**
 * The operator of one tenant: `notifications.operator`. It sees notifications of every kind in every inbox, so offer it to
 * operators, never to users. To retry or cancel one notification, use `notifications.retry` and `notifications.cancel`.
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
  /** Retries of everything that matches, in the background. */
  readonly retries: RetryRuns;
  /** Endpoints that fail, and what can be done about them. */
  readonly endpoints: Endpoints;
  /** Pauses of channels, of endpoints and of the whole tenant. */
  readonly pauses: Pauses;
  /** The processing records of events. */
  readonly records: Records;
  /** Lists of deliveries, of a notification and to a user. */
  readonly deliveries: OperatorDeliveries;
  readonly #tenant: string;
  readonly #context: OperatorContext;

  /** Hosts do not call this. They use `notifications.operator` or `notifications.tenant(id).operator`. */
  constructor(tenant: string, context: OperatorContext) {
    this.#tenant = tenant;
    this.#context = context;
    this.retries = new RetryRuns(tenant, context);
    this.pauses = new Pauses(tenant, context);
    this.endpoints = new Endpoints(tenant, context);
    this.records = new Records(tenant, context);
    this.deliveries = new OperatorDeliveries(tenant, context);
  }

  /**
   * Returns a page of the matching notifications, newest first; all of them without a filter. The order is that of their
   * ids, which a notification gets when it is created. A filter by time assumes that an id's time and `createdAt` are at
   * most a day apart. That holds unless a clock was put back by more.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter or a limit that cannot be; `INVALID_CURSOR` for a cursor that
   *   another search gave
   */
  async search(input: SearchInput = {}): Promise<ActivityPage> {
    const scope = this.#scopeOf("search", input, PAGE);
    const { cursor, limit = DEFAULT_LIMIT } = input;
    const after = afterCursor(cursor, scope);
    using _call = await this.#context.ready();
    // Reads one more than requested, to see whether there is a next page.
    const now = this.#now();
    const wanted = await stateFilter(this.#context, scope, now);
    const found = await this.#context.activity.search(this.#tenant, { ...wanted, ...after, limit: limit + 1 });
    const notifications = found.slice(0, limit).map((summary) => summaryOf(summary, now));
    return { notifications, nextCursor: cursorBehind(found, limit, scope) };
  }

  /** Returns the number of matching notifications, counted up to 10,000. @throws BelfryError `VALIDATION_ERROR` */
  async count(filter: ActivityFilter = {}): Promise<number> {
    const scope = this.#scopeOf("count", filter);
    using _call = await this.#context.ready();
    return await this.#count(await this.#wanted(scope));
  }

  /**
   * Returns users, recipients and senders of events whose name begins so, with the letters A to Z in either case, to complete what somebody types.
   *
   * @param beginning 1 to 4,096 characters
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async recipients(beginning: string, input: RecipientsInput = {}): Promise<readonly string[]> {
    requireNone([BEGINNING(beginning, "beginning")]);
    requireInput("the second argument of recipients", input, RECIPIENTS);
    using _call = await this.#context.ready();
    const found = await this.#context.activity.recipientsLike(this.#tenant, beginning, input.limit ?? DEFAULT_RECIPIENTS);
    return [...found].sort(compareBytewise);
  }

  /**
   * Returns all data about one notification: its items in inboxes and who has read them, each delivery with its attempts,
   * the processing records of an event, and the audit log. Of many deliveries it has the first; `operator.deliveries.of` has the others.
   *
   * @throws BelfryError `NOT_FOUND`; `VALIDATION_ERROR`
   */
  async timeline(id: string, input: TimelineInput = {}): Promise<Activity> {
    return readTimeline(this.#context, this.#tenant, { id, input });
  }

  /**
   * Returns the audit log, newest first: who created, changed, cancelled, retried and deleted notifications, exported and deleted users' data,
   * suppressed and lifted addresses, and steered retries. It outlives what it tells of.
   *
   * @throws BelfryError `VALIDATION_ERROR`
   * @example
   * ```ts
   * const today = await notifications.operator.auditLog({ actor: "ann", from: new Date(Date.now() - 86_400_000) });
   * ```
   */
  async auditLog(input: AuditInput = {}): Promise<readonly AuditEntry[]> {
    return readAudit(this.#context, this.#tenant, input);
  }

  /**
   * Returns the health of each channel, by name: channels with a pending delivery or an attempt in the period. The period
   * has equal parts: an hour in 60 minutes, a day in 48 half hours, a week in 84 times two hours.
   *
   * @throws BelfryError `VALIDATION_ERROR` for another range
   */
  async health(range: HealthRange): Promise<readonly ChannelHealth[]> {
    requireNone([oneOf(Object.keys(HEALTH_RANGES))(range, "range")]);
    return readHealth(this.#context, this.#tenant, range);
  }

  /** Returns the alarms of the tenant that are raised, by channel and kind. There are none without the option `alarms` of a service. */
  async alarms(): Promise<readonly Alarm[]> {
    using _call = await this.#context.ready();
    return (await this.#context.alarms.raised(this.#tenant)).map(shownAlarm);
  }

  /** Returns what waits to go out over each channel now, by name: channels with a pending delivery. It costs less than {@link health}. */
  backlog(): Promise<readonly ChannelBacklog[]> {
    return readBacklog(this.#context, this.#tenant);
  }

  /**
   * Returns how the work in the background stands: the workers of this process, the leases of all processes, the hub over a period, and the
   * windows of digests. It costs the same however much there is.
   *
   * @throws BelfryError `VALIDATION_ERROR` for another range
   */
  async work(range: HealthRange): Promise<WorkHealth> {
    requireNone([oneOf(Object.keys(HEALTH_RANGES))(range, "range")]);
    return readWorkHealth(this.#context, this.#tenant, range);
  }

  /**
   * Returns the number of sends that {@link retryAll} would find, counted up to 10,000: with a delivery that failed, or that waits for another attempt
   * after a failure. That a user was not connected is no failure.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter that cannot be
   */
  async countRetryable(filter: ActivityFilter = {}): Promise<number> {
    const scope = this.#scopeOf("countRetryable", filter);
    using _call = await this.#context.ready();
    return await this.#count({ ...(await this.#wanted(scope)), isRetryable: true });
  }

  /**
   * Retries the newest sends that match and failed or wait for another attempt, each as {@link retry} does, and counts the matches before and
   * after. For more than a few, {@link retries} does that in the background. Its `nextCursor` leads to older sends, so that sends that fail again do not block them. It leaves sends alone
   * that change meanwhile. Each retry is separate: after an error, earlier retries stay.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter, a limit or an actor that cannot be; `INVALID_CURSOR`
   * @example
   * ```ts
   * const lastHour = new Date(Date.now() - 3_600_000);
   * const { retried, nextCursor } = await notifications.operator.retryAll({ channel: "email", from: lastHour }, { actor: "ann" });
   * ```
   */
  async retryAll(filter: ActivityFilter, options: RetryAllOptions = {}): Promise<RetriedAll> {
    const scope = this.#scopeOf("retryAll", filter);
    requireInput("the second argument of retryAll", options, RETRY_ALL);
    const { limit = DEFAULT_RETRIES, cursor } = options;
    const actor = actorOf(options);
    const after = afterCursor(cursor, scope);
    using _call = await this.#context.ready();
    const wanted: StateFilter = { ...(await this.#wanted(scope)), isRetryable: true };
    const matched = await this.#count(wanted);
    // Reads one send more than requested, to see whether there are older ones.
    const newest = await this.#context.activity.search(this.#tenant, { ...wanted, ...after, limit: limit + 1 });
    let retried = 0;
    for (const { id } of newest.slice(0, limit)) {
      retried += (await retryUnlessChanged(this.#context, { tenant: this.#tenant, id, actor })) ? 1 : 0;
    }
    return { matched, retried, remaining: await this.#count(wanted), nextCursor: cursorBehind(newest, limit, scope) };
  }

  /**
   * Tries again what failed of a send, on a fresh schedule, and makes due now what waits for another attempt; endpoints that rest are tried at once.
   * What was delivered is left alone, and so is a user who was only not connected.
   *
   * @throws BelfryError `NOT_FOUND`; `INVALID_STATE` if there is nothing to try again; `VALIDATION_ERROR`
   */
  async retry(id: string, options: RetryOptions = {}): Promise<void> {
    requireId(id);
    requireInput("the second argument of retry", options, RETRY);
    const { deliveryId } = options;
    const actor = actorOf(options);
    await this.#context.tryAgain({ tenant: this.#tenant, id, actor, ...(deliveryId === undefined ? {} : { deliveryId }) });
  }

  /**
   * Sends a test over a channel, of the type `test`: to an address, or to a user, who is reached by the host's directory or by devices, as
   * their preferences allow. Its timeline says what became of it.
   *
   * @throws BelfryError `CHANNEL_NOT_CONFIGURED`, which names the channels there are; `INVALID_RECIPIENTS`, which says what the channel takes;
   *   `VALIDATION_ERROR`
   * @example
   * ```ts
   * const { id } = await notifications.operator.sendTest({ channel: "sms", to: "+4930123456", actor: "ann" });
   * ```
   */
  async sendTest(input: TestInput): Promise<Send> {
    return sendTest(this.#context, this.#tenant, input);
  }

  /**
   * Writes a line of the audit log. Use it for actions that log none: creating a message, or marking a user's item read.
   * Creating, changing, cancelling, retrying and deleting a send writes its own line.
   *
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async note(entry: AuditNote): Promise<void> {
    return writeNote(this.#context, this.#tenant, entry);
  }

  #now(): Date {
    return new Date(this.#context.clock.now());
  }

  #scopeOf(what: string, input: ActivityFilter, more?: Checks): ActivityScope {
    return { tenant: this.#tenant, filter: parseFilter(what, input, more) };
  }

  #wanted(scope: ActivityScope): Promise<StateFilter> {
    return stateFilter(this.#context, scope, this.#now());
  }

  #count(filter: StateFilter): Promise<number> {
    return this.#context.activity.count(this.#tenant, filter, MAX_COUNT);
  }
}
