import { storable } from "../foundation/bounds.ts";
import { derivedUuid } from "../foundation/ids.ts";
import type { TracedEnd, TracedWork } from "../foundation/tracing.ts";
import type { UntypedCreateInput } from "../notifications/index.ts";
import type { Lease, LostLease, NamedLeaseStorage } from "../work/lease-storage.ts";
import type { LeasedTasks } from "../work/leased-tasks.ts";
import type { TaskEnd } from "../work/leased-work.ts";
import { type Cancellation, OutOfTime, retryDelayMs, withinTime } from "../work/timing.ts";
import type { HubContext, HubSignal } from "./context.ts";
import type { SourceRecord } from "./hub-model.ts";
import type { ClaimedRecord, EndedRecord } from "./hub-storage.ts";
import type { HandlerResult, OnResult, ProcessingOutcome, ProcessingTask, ProcessingUsage, Processor } from "./processor.ts";

const MAX_RESULT = 100_000;
const MAX_ERROR = 1_000;
/** Stands for what no database keeps. */
const REPLACEMENT = "\uFFFD";
const DEFAULT_RETRY_DELAYS_MS = [1_000, 5_000, 30_000];
const LOST = "The process that ran this handler was lost, time and again.";

/** An end with nothing to tell. */
const NOTHING = { result: null, error: null, inputTokens: null, outputTokens: null, dueInMs: null };

/** Stands in when the host configured no processor. It fails every record and says why. */
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

/** Runs handlers over the events that fit them. It is the work of the hub's worker. */
export class ProcessDue implements LeasedTasks<ClaimedRecord, object, EndedRecord> {
  readonly name = "processing records";
  readonly leases: NamedLeaseStorage<ClaimedRecord>;
  readonly named: NamedLeaseStorage<ClaimedRecord>;
  readonly #context: HubContext;
  readonly #processor: Processor;
  readonly #onResult: OnResult | undefined;

  constructor(context: HubContext, processor: Processor | undefined, onResult: OnResult | undefined) {
    this.leases = context.hub.leases;
    this.named = context.hub.leases;
    this.#context = context;
    this.#processor = processor ?? NO_PROCESSOR;
    this.#onResult = onResult;
  }

  get concurrency(): number {
    return this.#processor.concurrency;
  }

  leaseOf({ record: { id, tenant }, fence }: ClaimedRecord): Lease & { readonly tenant: string } {
    return { id, tenant, fence };
  }

  dueAtOf({ record: { attempt, createdAt } }: ClaimedRecord): Date | null {
    return attempt === 1 ? createdAt : null;
  }

  fairness(): object {
    return {};
  }

  async attempt(claimed: ClaimedRecord, cancellation: Cancellation): Promise<EndedRecord> {
    return this.#end(claimed, await this.#traced(claimed, cancellation));
  }

  async record(owner: string, ended: readonly EndedRecord[]): Promise<readonly boolean[]> {
    const records = await this.#context.hub.endRecords(owner, ended, new Date(this.#context.clock.now()));
    this.#announce(records);
    const ids = new Set(records.map(({ id }) => id));
    return ended.map(({ id }) => ids.has(id));
  }

  endOf({ status, error }: EndedRecord): TaskEnd {
    if (status === "PENDING") {
      // An attempt that was cut short has no error.
      return error === null ? "later" : "repeated";
    }
    return status === "FAILED" ? "failed" : "done";
  }

  makesDue({ status }: EndedRecord): boolean {
    return status === "PENDING";
  }

  async endLost(lost: readonly LostLease[]): Promise<void> {
    for (const [owner, leases] of Map.groupBy(lost, (lease) => lease.owner)) {
      await this.record(
        owner,
        leases.map(({ id, fence, until, attempt }) => {
          const isLast = attempt > this.#delaysMs.length;
          const end = isLast ? ({ status: "FAILED", error: LOST } as const) : ({ status: "PENDING", dueInMs: 0 } as const);
          return { ...NOTHING, ...end, id, fence, lostAt: until };
        }),
      );
    }
  }

  get #delaysMs(): readonly number[] {
    return this.#processor.retryDelaysMs ?? DEFAULT_RETRY_DELAYS_MS;
  }

  #traced(claimed: ClaimedRecord, cancellation: Cancellation): Promise<ProcessingOutcome | null> {
    const { tracing } = this.#context;
    const process = () => this.#process(claimed, cancellation);
    return tracing === null ? process() : tracing.run(workOn(claimed, this.#processor), process, endOf);
  }

  /** Null when the attempt was cut short, by a stop or a lost lease: it says nothing about the handler. */
  async #process(claimed: ClaimedRecord, cancellation: Cancellation): Promise<ProcessingOutcome | null> {
    const limit = { timeoutMs: this.#processor.timeoutMs, clock: this.#context.clock, cancellation };
    try {
      const outcome = checkOutcome(await withinTime((ends) => this.#processor.process(taskOf(claimed), ends), limit), this.#processor.name);
      const onResult = this.#onResult;
      if (outcome.status === "completed" && onResult !== undefined) {
        // Before the record is COMPLETED: a crash in between has all of it done again, and what it creates has the same id.
        const result = handlerResult(this.#context, claimed, storable(outcome.text, MAX_RESULT, REPLACEMENT));
        await withinTime(async () => onResult(result), limit);
      }
      return outcome;
    } catch (error) {
      if (cancellation.aborted) {
        return null;
      }
      if (error instanceof OutOfTime) {
        return { status: "failed", transient: true, error: error.message };
      }
      // The error may tell of the host's inside, and clients read the record.
      this.#context.logger.error({ error, record: claimed.record.id }, "A processor, or onResult, threw an error.");
      const name = error instanceof Error ? error.name : typeof error;
      return { status: "failed", transient: true, error: `The handler could not be run: an unexpected ${name}. The log has more.` };
    }
  }

  #end(claimed: ClaimedRecord, outcome: ProcessingOutcome | null): EndedRecord {
    const { record, fence } = claimed;
    const base = { ...NOTHING, id: record.id, fence, claimed };
    if (outcome === null) {
      return { ...base, status: "PENDING", dueInMs: 0 };
    }
    if (outcome.status === "completed") {
      const { inputTokens = null, outputTokens = null } = outcome.usage ?? {};
      return { ...base, status: "COMPLETED", result: storable(outcome.text, MAX_RESULT, REPLACEMENT), inputTokens, outputTokens };
    }
    const { retryAfterMs, transient } = outcome;
    const failed = { attempt: record.attempt, retryAfterMs, random: Math.random() };
    const dueInMs = transient ? retryDelayMs(this.#delaysMs, failed) : null;
    return { ...base, status: dueInMs === null ? "FAILED" : "PENDING", error: storable(outcome.error, MAX_ERROR, REPLACEMENT), dueInMs };
  }

  #announce(records: readonly SourceRecord[]): void {
    const settled = records.filter(({ status }) => status === "COMPLETED" || status === "FAILED");
    const signalOf = (record: SourceRecord): HubSignal => {
      const { tenant, source, id } = record;
      return { topic: "hub", tenant, source, change: "settled", id, record };
    };
    this.#context.publish(settled.map(signalOf));
    for (const record of settled) {
      this.#context.events.emit(record.status === "COMPLETED" ? "record.completed" : "record.failed", { tenant: record.tenant, record });
    }
  }
}

function workOn({ record }: ClaimedRecord, { name }: Processor): TracedWork {
  const { tenant, notificationId, attempt } = record;
  return { name: "process", tenant, notificationId, facts: { processor: name, attempt } };
}

function endOf(outcome: ProcessingOutcome | null): TracedEnd {
  const { status } = outcome ?? { status: "cut_short" };
  return { hasFailed: status === "failed", facts: { outcome: status } };
}

function taskOf({ record, event }: ClaimedRecord): ProcessingTask {
  const { identity, ...notification } = event;
  const { id, tenant, handlerId, prompt, attempt } = record;
  return { recordId: id, tenant, handlerId, prompt, notification, identity, attempt };
}

/** Returns a processor's outcome if it has the right shape, else a permanent failure that names the problem. */
function checkOutcome(outcome: ProcessingOutcome, processor: string): ProcessingOutcome {
  const wrong = wrongMember(outcome);
  if (wrong !== null) {
    const wanted = '{ status: "completed", text } or { status: "failed", transient, error }';
    return {
      status: "failed",
      transient: false,
      error: `The processor ${processor} answered no outcome, but ${wrong}; expected ${wanted}.`,
    };
  }
  if (outcome.status !== "completed" || outcome.usage === undefined || isUsage(outcome.usage)) {
    return outcome;
  }
  const { usage: _, ...rest } = outcome;
  return rest;
}

function wrongMember(outcome: ProcessingOutcome): string | null {
  if (typeof outcome !== "object" || outcome === null) {
    return outcome === null ? "null" : `a value of type ${typeof outcome}`;
  }
  if (outcome.status === "completed") {
    return typeof outcome.text === "string" ? null : "an object whose text is no string";
  }
  if (outcome.status !== "failed") {
    return "an object of another status";
  }
  return typeof outcome.error === "string" ? null : "an object whose error is no string";
}

function isUsage({ inputTokens, outputTokens }: ProcessingUsage): boolean {
  return [inputTokens, outputTokens].every((tokens) => Number.isSafeInteger(tokens) && tokens >= 0);
}

function handlerResult(context: HubContext, { record, event }: ClaimedRecord, text: string): HandlerResult {
  let calls = 0;
  return {
    text,
    event,
    record,
    async create(input) {
      calls += 1;
      const id = await derivedUuid(record.id, String(calls));
      return context.create({ tenant: record.tenant, input: input as UntypedCreateInput, id });
    },
  };
}
