import { derivedUuid } from "../foundation/ids.ts";
import type { Created } from "../inbox/index.ts";
import type { CreateInput, DataByType, UntypedCreateInput } from "../notifications/index.ts";
import type { HubContext } from "./context.ts";
import type { IdentifiedEvent, ProcessingRecord } from "./hub-model.ts";
import type { ClaimedRecord } from "./hub-storage.ts";

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
