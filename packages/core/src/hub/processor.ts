import type { Created } from "../inbox/index.ts";
import type { CreateInput, DataByType } from "../notifications/index.ts";
import type { HubEvent, IdentifiedEvent, ProcessingRecord } from "./hub-model.ts";

/** The task of a processor: to process one event by one handler's prompt. */
export interface ProcessingTask {
  /** The processing record's id: the same for every attempt, so that a repetition can be told. */
  readonly recordId: string;
  /** The tenant that the event came in for. */
  readonly tenant: string;
  /** The handler whose prompt this is. */
  readonly handlerId: string;
  /** The handler's prompt, as it was when the event came in. */
  readonly prompt: string;
  /** The event. Anybody may have written its texts: to a model they are data, never instructions. */
  readonly notification: HubEvent;
  /** Who the sender is known to be, or null. */
  readonly identity: IdentifiedEvent["identity"];
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** The tokens that an attempt used, if the processor reports them. */
export interface ProcessingUsage {
  /** Tokens read: the prompt and the event. */
  readonly inputTokens: number;
  /** Tokens written: the result, and what the model thought on the way to it where its provider counts that. */
  readonly outputTokens: number;
}

/** The event is processed. */
export interface ProcessingSuccess {
  readonly status: "completed";
  /** The processor's answer: the record's result. */
  readonly text: string;
  /** @default not known */
  readonly usage?: ProcessingUsage;
  /** Names what answered, as its provider calls it, for example `gpt-5-mini-2026-01-15`. */
  readonly model?: string;
}

/** The attempt failed. */
export interface ProcessingFailure {
  readonly status: "failed";
  /** Whether a later attempt may succeed. */
  readonly transient: boolean;
  /** Says what happened, without credentials or the event's contents. Clients of the hub read it in the record. */
  readonly error: string;
  /** The provider asked to wait this long, in milliseconds. It is clamped to between the first retry delay and 24 hours. */
  readonly retryAfterMs?: number;
}

/** The result of an attempt. */
export type ProcessingOutcome = ProcessingSuccess | ProcessingFailure;

/**
 * Runs the handlers of the hub. One file of the host's own is enough for a new one. The engine does the rest: it
 * claims records, limits how many run at once, times out, retries and keeps the results.
 *
 * @example
 * ```ts
 * const wordCount: Processor = {
 *   name: "word-count",
 *   timeoutMs: 1_000,
 *   concurrency: 10,
 *   process: async ({ notification }) => ({ status: "completed", text: `${notification.content.split(/\s+/).length} words` }),
 * };
 * ```
 */
export interface Processor {
  /** Names it in logs and errors, for example `openai`. */
  readonly name: string;
  /** The longest time of an attempt, in milliseconds. Then it is aborted, as a transient failure. */
  readonly timeoutMs: number;
  /** The most attempts that one process runs at once. */
  readonly concurrency: number;
  /**
   * The delays before the second, third, … attempt after a transient failure, in milliseconds; after the last one a
   * record is FAILED. @default [1_000, 5_000, 30_000]
   */
  readonly retryDelaysMs?: readonly number[];
  /**
   * Processes once. An outcome is the rule; an error it throws counts as a transient failure. After a crash the
   * record is processed again, so effects of its own must bear repetition. `signal` aborts when the attempt has run out of
   * time, or its process is stopping.
   */
  process(task: ProcessingTask, signal: AbortSignal): Promise<ProcessingOutcome>;
}

/** A handler's result for an event, with a function to notify users. */
export interface HandlerResult<Data extends DataByType = DataByType> {
  /** The processor's answer. */
  readonly text: string;
  /** The event, with its sender's identity. */
  readonly event: IdentifiedEvent;
  /** The handler's work on the event. */
  readonly record: ProcessingRecord;
  /**
   * Creates a notification in the event's tenant: see `NotificationService.create`. If the process is lost before the record is
   * COMPLETED, the handler runs again, and what it creates then is what it created before, not a second one: calls are
   * told apart by their order.
   */
  create<Type extends keyof Data = never>(input: CreateInput<Data, Type>): Promise<Created>;
}

/** Called for every result of a handler, before its record is COMPLETED. If it throws, the attempt is a transient failure. */
export type OnResult<Data extends DataByType = DataByType> = (result: HandlerResult<Data>) => void | Promise<void>;
