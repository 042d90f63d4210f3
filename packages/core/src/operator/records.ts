import { type Acting, actorOf } from "../delivery/index.ts";
import { fingerprint } from "../foundation/digest.ts";
import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type ChecksOf, type MembersOf, pageChecks, requireId, requireInput, requireMembers } from "../foundation/issue-list.ts";
import { NAME_RULE, oneOf, shown, stringIssue, text } from "../foundation/parse-text.ts";
import { type ProcessingRecord, RECORD_STATES, type RecordFilter, type RecordPlace, type RecordSummary } from "../hub/index.ts";
import { nextTurn } from "../work/timing.ts";
import type { OperatorContext } from "./context.ts";
import { idIssue, timeIssue } from "./parse-filter.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;
/** How many parts of a search one page looks at; each looks at up to 1,000 records. */
const MAX_PARTS = 20;

/** The filter of a search for processing records, and the page. */
export interface RecordSearchInput extends RecordFilter {
  /** The `nextCursor` of the page before; it works with the same filter only. */
  readonly cursor?: string;
  /** 1 to 100. @default 50 */
  readonly limit?: number;
}

/** Newest first. */
export interface RecordPage {
  /** May be fewer than asked for, or none, before the end: a page looks at 20,000 records at most. */
  readonly records: readonly RecordSummary[];
  /** Where the next page starts; null at the end. */
  readonly nextCursor: string | null;
}

const FILTER: ChecksOf<RecordFilter> = {
  state: oneOf(RECORD_STATES),
  source: text(NAME_RULE),
  handlerId: idIssue,
  error: text({ minLength: 1, maxLength: 1_000 }),
  from: timeIssue,
  before: timeIssue,
};
const PAGE: ChecksOf<Omit<RecordSearchInput, keyof RecordFilter>> = { limit: pageChecks(MAX_LIMIT).limit, cursor: stringIssue };
const ACTING: MembersOf<Acting> = { actor: true };

/**
 * The processing records of one tenant's events: `notifications.operator.records`.
 *
 * @example
 * ```ts
 * const { records } = await notifications.operator.records.search({ state: "failed", error: "rate limit" });
 * for (const { id } of records) {
 *   await notifications.operator.records.retry(id, { actor: "ann" });
 * }
 * ```
 */
export class Records {
  readonly #tenant: string;
  readonly #context: OperatorContext;

  /** Hosts do not call this. They use `notifications.operator.records`. */
  constructor(tenant: string, context: OperatorContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * Returns a page of the matching records, each with its prompt, its event and its error, newest first.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter or a limit that cannot be; `INVALID_CURSOR` for a cursor that another search gave
   */
  async search(input: RecordSearchInput = {}): Promise<RecordPage> {
    requireInput("records.search", input, { ...FILTER, ...PAGE });
    const { cursor, limit = DEFAULT_LIMIT, ...filter } = input;
    let next = placeOf(cursor, { tenant: this.#tenant, filter });
    using _call = await this.#context.ready();
    const records: RecordSummary[] = [];
    for (let part = 0; part < MAX_PARTS; part += 1) {
      const found = await this.#context.hub.searchRecords(this.#tenant, { ...filter, after: next, limit: limit - records.length });
      records.push(...found.records);
      next = found.next;
      if (next === null || records.length === limit) {
        break;
      }
      await nextTurn();
    }
    return { records, nextCursor: next === null ? null : cursorOf(next, { tenant: this.#tenant, filter }) };
  }

  /**
   * Has a record run again that failed, with all its attempts before it, or now instead of later if it waits for another attempt. It keeps its prompt,
   * and writes a line of the audit log about its event and itself.
   *
   * @throws BelfryError `NOT_FOUND`; `INVALID_STATE` if it is completed, or due or running already; `VALIDATION_ERROR`
   */
  async retry(id: string, acting: Acting = {}): Promise<ProcessingRecord> {
    requireId(id);
    requireMembers("the second argument of records.retry", acting, ACTING);
    const actor = actorOf(acting);
    using _call = await this.#context.ready();
    const { activity, clock, hub } = this.#context;
    const before = await this.#find(id);
    if (!(await hub.retryRecord(this.#tenant, before.id))) {
      throw new BelfryError("INVALID_STATE", `The processing record ${shown(id)} is ${before.status}; one that failed can run again.`);
    }
    const target = { targetKind: "record", targetId: before.id } as const;
    const line = { action: "retried", actor, notificationId: before.notificationId, ...target } as const;
    await activity.note(this.#tenant, line, new Date(clock.now()));
    this.#context.processDue();
    return await this.#find(id);
  }

  async #find(id: string): Promise<ProcessingRecord> {
    const [record] = isUuid(id) ? await this.#context.hub.findRecords(this.#tenant, [id.toLowerCase()]) : [];
    if (record === undefined) {
      throw new BelfryError("NOT_FOUND", `There is no processing record ${shown(id)}.`);
    }
    return record;
  }
}

/** The search that a cursor belongs to. */
interface RecordScope {
  readonly tenant: string;
  readonly filter: RecordFilter;
}

function cursorOf(place: RecordPlace, scope: RecordScope): string {
  return `${place.join(".")}-${check(place, scope)}`;
}

/** The place that a cursor names; null without one. Throws `INVALID_CURSOR` for an edited cursor or one of another search. */
function placeOf(cursor: string | undefined, scope: RecordScope): RecordPlace | null {
  if (cursor === undefined) {
    return null;
  }
  const [first, second, pk] = (/^(\d{1,16})\.(\d{1,16})\.(\d{1,16})-/.exec(cursor) ?? []).slice(1).map(Number);
  if (first === undefined || second === undefined || pk === undefined || cursorOf([first, second, pk], scope) !== cursor) {
    throw new BelfryError("INVALID_CURSOR", "The cursor is not one that a call with this filter gave. Start again without a cursor.");
  }
  return [first, second, pk];
}

function check(place: RecordPlace, { tenant, filter }: RecordScope): string {
  const values = (Object.keys(FILTER) as (keyof RecordFilter)[]).map((name) => filter[name] ?? null);
  return fingerprint([...place, tenant, ...values.map((value) => (value instanceof Date ? value.getTime() : value))]);
}
