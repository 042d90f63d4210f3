import { BatchQueue, commitBatch } from "../work/batch-queue.ts";
import { Claims } from "../work/claims.ts";
import type { LeasedWork } from "../work/leased-worker.ts";
import { mayTakeOver } from "../work/may-take-over.ts";
import { retryDelayMs } from "../work/retry-delay.ts";
import { TenantShare } from "../work/tenant-share.ts";
import { untilRecorded } from "../work/until-recorded.ts";
import { OutOfTime, withinTime } from "../work/within-time.ts";
import { checkOutcome } from "./check-outcome.ts";
import type { HubContext } from "./context.ts";
import type { OnResult } from "./handler-result.ts";
import { handlerResult } from "./handler-result.ts";
import type { SourceRecord } from "./hub-model.ts";
import type { ClaimedRecord, EndedRecord } from "./hub-storage.ts";
import type { ProcessingOutcome, ProcessingTask, Processor } from "./processor.ts";

const MAX_BATCH = 256;
/** A lease further ahead than this is of a clock that went back since. */
const MAX_LEASE_MS = 3_600_000;
const MAX_RESULT = 100_000;
const MAX_ERROR = 1_000;
const DEFAULT_RETRY_DELAYS_MS = [1_000, 5_000, 30_000];
const LOST = "The process that ran this handler was lost, time and again.";

/** Fails every record, and says why: what runs where the host configured no processor. */
const NO_PROCESSOR: Processor = {
  name: "none",
  timeoutMs: 1_000,
  concurrency: 100,
  process: async () => ({
    status: "failed",
    transient: false,
    error: "No processor is configured. Give the service one: new NotificationService({ hub: { processor } }).",
  }),
};

/** What a {@link ProcessDue} works with. */
export interface ProcessDueOptions {
  readonly processor: Processor | null;
  readonly onResult: OnResult | null;
  readonly leaseMs: number;
}

/** Runs handlers over the events that fit them: the work of the hub's worker. */
export class ProcessDue implements LeasedWork<ClaimedRecord> {
  readonly name = "processing records";
  readonly #context: HubContext;
  readonly #processor: Processor;
  readonly #options: ProcessDueOptions;
  /** Another one at each start, so that what an earlier process held is told apart. */
  readonly #owner: string;
  readonly #claims: Claims<ClaimedRecord>;
  readonly #share: TenantShare;
  readonly #ended: BatchQueue<EndedRecord, SourceRecord | null>;
  #isFirstTidy = true;

  constructor(context: HubContext, options: ProcessDueOptions) {
    this.#context = context;
    this.#options = options;
    this.#processor = options.processor ?? NO_PROCESSOR;
    this.#owner = context.ids.next();
    this.#share = new TenantShare(this.#processor.concurrency);
    this.#claims = new Claims({
      idOf: ({ record }) => record.id,
      claim: (limit) => this.#claim(limit),
      leased: () => context.hub.recordsLeasedTo(this.#owner),
    });
    this.#ended = new BatchQueue({
      take: (queue) => queue.splice(0, MAX_BATCH),
      commit: (batch) =>
        commitBatch(
          batch,
          (ended) => this.#endAll(ended),
          (pending, record) => pending.resolve(record),
        ),
    });
  }

  /** How many attempts one process runs at once. */
  get concurrency(): number {
    return this.#processor.concurrency;
  }

  async tidy(): Promise<void> {
    await this.#context.ready();
    const isAlone = this.#isFirstTidy && mayTakeOver(this.#context, this.name);
    const request = {
      limit: MAX_BATCH,
      // Other processes may hold longer leases than this one does.
      leaseMs: Math.max(MAX_LEASE_MS, 2 * this.#options.leaseMs),
      maxAttempts: this.#delaysMs.length + 1,
      error: LOST,
      ...(isAlone ? { notOwnedBy: this.#owner } : {}),
    };
    let taken: readonly SourceRecord[];
    do {
      taken = await this.#context.hub.takeBackRecords({ ...request, at: this.#now() });
      this.#announce(taken);
    } while (taken.length === MAX_BATCH);
    this.#isFirstTidy = false;
  }

  async claim(limit: number): Promise<readonly ClaimedRecord[]> {
    const claimed = await this.#claims.take(limit);
    for (const { record } of claimed) {
      this.#share.began(record.tenant);
    }
    return claimed;
  }

  async perform(claimed: ClaimedRecord, signal: AbortSignal): Promise<void> {
    const { leaseMs } = this.#options;
    const { clock } = this.#context;
    try {
      const ended = this.#end(claimed, await this.#process(claimed, signal));
      const record = await untilRecorded(() => this.#ended.write(ended), { leaseMs, clock, signal });
      if (record === null) {
        this.#context.logger.info({ record: ended.recordId }, "Another worker had taken a processing record over; its attempt counts.");
      } else {
        this.#announce([record]);
      }
    } finally {
      this.#claims.release(claimed);
      this.#share.ended(claimed.record.tenant);
    }
  }

  async renew(claimed: readonly ClaimedRecord[]): Promise<readonly ClaimedRecord[]> {
    const leases = claimed.map(({ record, fence }) => ({ recordId: record.id, fence }));
    const held = await this.#context.hub.renewRecords(this.#owner, leases, { at: this.#now(), leaseMs: this.#options.leaseMs });
    const ids = new Set(held.map(({ recordId }) => recordId));
    return claimed.filter(({ record }) => !ids.has(record.id));
  }

  nextDueInMs(): Promise<number | null> {
    return this.#context.hub.nextRecordDueInMs(this.#now());
  }

  get #delaysMs(): readonly number[] {
    return this.#processor.retryDelaysMs ?? DEFAULT_RETRY_DELAYS_MS;
  }

  #now(): Date {
    return new Date(this.#context.clock.now());
  }

  #claim(limit: number): Promise<readonly ClaimedRecord[]> {
    const { leaseMs } = this.#options;
    return this.#context.hub.claimRecords({ owner: this.#owner, at: this.#now(), leaseMs, limit, exceptTenants: this.#share.full() });
  }

  /** Null when the attempt was cut short, by a stop or a lost lease: it says nothing about the handler. */
  async #process(claimed: ClaimedRecord, signal: AbortSignal): Promise<ProcessingOutcome | null> {
    const limit = { timeoutMs: this.#processor.timeoutMs, clock: this.#context.clock, signal };
    try {
      const outcome = checkOutcome(await withinTime((ends) => this.#processor.process(taskOf(claimed), ends), limit), this.#processor.name);
      const { onResult } = this.#options;
      if (outcome.status === "completed" && onResult !== null) {
        // Before the record is COMPLETED: a crash in between has all of it done again, and what it creates has the same id.
        const result = handlerResult(this.#context, claimed, storable(outcome.text, MAX_RESULT));
        await withinTime(async () => onResult(result), limit);
      }
      return outcome;
    } catch (error) {
      if (signal.aborted) {
        return null;
      }
      if (error instanceof OutOfTime) {
        return { status: "failed", transient: true, error: error.message };
      }
      // What was thrown may tell of the host's inside, and clients read the record.
      this.#context.logger.error({ error, record: claimed.record.id }, "A processor, or onResult, threw an error.");
      const name = error instanceof Error ? error.name : typeof error;
      return { status: "failed", transient: true, error: `The handler could not be run: an unexpected ${name}. The log has more.` };
    }
  }

  #end({ record, fence }: ClaimedRecord, outcome: ProcessingOutcome | null): EndedRecord {
    const base = { recordId: record.id, fence, result: null, error: null, inputTokens: null, outputTokens: null, dueInMs: null };
    if (outcome === null) {
      return { ...base, status: "PENDING", dueInMs: 0 };
    }
    if (outcome.status === "completed") {
      const { inputTokens = null, outputTokens = null } = outcome.usage ?? {};
      return { ...base, status: "COMPLETED", result: storable(outcome.text, MAX_RESULT), inputTokens, outputTokens };
    }
    const { retryAfterMs, transient } = outcome;
    const failed = { attempt: record.attempt, retryAfterMs, random: Math.random() };
    const dueInMs = transient ? retryDelayMs(this.#delaysMs, failed) : null;
    return { ...base, status: dueInMs === null ? "FAILED" : "PENDING", error: storable(outcome.error, MAX_ERROR), dueInMs };
  }

  async #endAll(ended: readonly EndedRecord[]): Promise<readonly (SourceRecord | null)[]> {
    const records = await this.#context.hub.endRecords(this.#owner, ended, this.#now());
    const byId = new Map(records.map((record) => [record.id, record]));
    return ended.map(({ recordId }) => byId.get(recordId) ?? null);
  }

  /** Tells of those that settled. */
  #announce(records: readonly SourceRecord[]): void {
    const settled = records.filter(({ status }) => status === "COMPLETED" || status === "FAILED");
    this.#context.publish(
      settled.map((record) => ({
        topic: "hub" as const,
        tenant: record.tenant,
        source: record.source,
        change: "settled" as const,
        id: record.id,
        record,
      })),
    );
    for (const record of settled) {
      this.#context.events.emit(record.status === "COMPLETED" ? "record.completed" : "record.failed", { tenant: record.tenant, record });
    }
  }
}

function taskOf({ record, event }: ClaimedRecord): ProcessingTask {
  const { identity, ...notification } = event;
  const { id, tenant, handlerId, prompt, attempt } = record;
  return { recordId: id, tenant, handlerId, prompt, notification, identity, attempt };
}

/** A processor's text as every database keeps it: without NUL and halves of surrogate pairs, and not without end. */
function storable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed().replaceAll("\u0000", "\uFFFD");
}
