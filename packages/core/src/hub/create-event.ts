import { BatchQueue, commitBatch } from "../work/batch-queue.ts";
import type { HubContext } from "./context.ts";
import { fitsFilter } from "./filter.ts";
import type { EventInput } from "./hub-input.ts";
import type { HubEvent } from "./hub-model.ts";
import type { HubStorage, PlanProcessing } from "./hub-storage.ts";
import { parseEvent } from "./parse.ts";

/** The limit of a batch. It bounds how long one transaction holds a synchronous database. */
const MAX_BATCH = 128;

/**
 * Stores an event with a record for each handler whose filter it fits. Resolves after the commit. Handlers run in the
 * background.
 */
export async function createEvent(context: HubContext, tenant: string, input: EventInput): Promise<HubEvent> {
  const { source, sender, content, metadata } = parseEvent(input);
  using _call = await context.ready();
  const receivedAt = new Date(context.clock.now());
  const event: HubEvent = { id: context.ids.next(), tenant, source, sender, content, metadata, receivedAt };
  const records = await context.eventWriter.write(event);
  if (records > 0) {
    context.processDue();
  }
  context.publish([{ topic: "hub", tenant, source, change: "event", id: event.id, event }]);
  context.events.emit("event.created", { tenant, event, handlers: records });
  return event;
}

/** Writes events that arrive at the same time in one transaction. Returns the number of handlers of each. */
export function eventWriter(hub: HubStorage, plan: PlanProcessing): BatchQueue<HubEvent, number> {
  return new BatchQueue({
    take: (queue) => queue.splice(0, MAX_BATCH),
    commit: (batch) =>
      commitBatch(
        batch,
        (events) => hub.createEvents(events, plan),
        (pending, records) => pending.resolve(records.length),
      ),
  });
}

/** Plans the processing of an event: one record for each handler whose filter its metadata fits. */
export function planProcessing(context: Pick<HubContext, "ids">): PlanProcessing {
  return (event, handlers) =>
    handlers
      .filter(({ filter }) => fitsFilter(filter, event.metadata))
      .map(({ id, prompt }) => ({ id: context.ids.next(), handlerId: id, prompt }));
}
