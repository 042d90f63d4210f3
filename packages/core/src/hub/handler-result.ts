import { derivedUuid } from "../foundation/ids.ts";
import type { Created } from "../inbox/index.ts";
import type { CreateInput, DataByType, UntypedCreateInput } from "../notifications/index.ts";
import type { HubContext } from "./context.ts";
import type { IdentifiedEvent, ProcessingRecord } from "./hub-model.ts";
import type { ClaimedRecord } from "./hub-storage.ts";
import type { ProcessingOutcome, ProcessingUsage } from "./processor.ts";

/** Returns a processor's outcome if it has the right shape, else a permanent failure that names the problem. */
export function checkOutcome(outcome: ProcessingOutcome, processor: string): ProcessingOutcome {
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

/** Builds the argument of the host's `onResult`. */
export function handlerResult(context: HubContext, { record, event }: ClaimedRecord, text: string): HandlerResult {
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
