import type { FeedSubscription } from "../foundation/context.ts";
import { compileFilter, type FitsFilter } from "../foundation/filter.ts";
import { requireFunctions, requireId, requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { BatchQueue } from "../work/batch-queue.ts";
import { type FollowSources, found, type HubContext, type HubListener } from "./context.ts";
import type { Handler, HubEvent, HubPage, IdentifiedEvent, ProcessingRecord } from "./hub-model.ts";
import type { HubStorage, PlanProcessing } from "./hub-storage.ts";
import { type EventInput, type HubListInput, parseEvent, parseList } from "./parse.ts";

/** The limit of a batch. It bounds how long one transaction holds a synchronous database. */
const MAX_BATCH = 128;

/** Writes events that arrive at the same time in one transaction. Returns the number of handlers of each. */
export function eventWriter(hub: HubStorage, plan: PlanProcessing): HubContext["eventWriter"] {
  return new BatchQueue({
    count: () => MAX_BATCH,
    write: (events) => hub.createEvents(events, plan),
    settle: (pending, records) => pending.resolve(records.length),
  });
}

/**
 * Plans the processing of an event: one record for each handler whose filter its metadata fits. Filters are compiled once for a
 * list of handlers, which storages pass for all events of a source that they write together.
 */
export function planProcessing({ ids }: Pick<HubContext, "ids">): PlanProcessing {
  const compiled = new WeakMap<readonly Handler[], readonly FitsFilter[]>();
  return (event, handlers) => {
    const filters = compiled.get(handlers) ?? handlers.map(({ filter }) => compileFilter(filter));
    compiled.set(handlers, filters);
    const takers = handlers.filter((_, index) => filters[index]?.(event.metadata));
    return takers.map(({ id, prompt }) => ({ id: ids.next(), handlerId: id, prompt }));
  };
}

/**
 * The events of one tenant: `notifications.hub.events`.
 *
 * @example
 * ```ts
 * const { id } = await notifications.hub.events.create({ source: "monitoring", sender: "db-1", content: "The disk is full" });
 * const [record] = await notifications.hub.events.records(id);
 * ```
 */
export class HubEvents {
  readonly #tenant: string;
  readonly #context: HubContext;
  readonly #feeds: FollowSources;

  /** Hosts do not call this. They use `notifications.hub.events`. */
  constructor(tenant: string, context: HubContext, feeds: FollowSources) {
    this.#tenant = tenant;
    this.#context = context;
    this.#feeds = feeds;
  }

  /**
   * Stores an event, with a processing record for each handler of its source whose filter its metadata fits. Resolves after
   * the commit. Handlers run in the background.
   *
   * @throws BelfryError `VALIDATION_ERROR`; `STORAGE_UNAVAILABLE` (try again) or `STORAGE_FAILED`
   */
  async create(input: EventInput): Promise<HubEvent> {
    const { source, sender, content, metadata } = parseEvent(input);
    const { clock, ids, eventWriter, processDue, publish, events } = this.#context;
    const tenant = this.#tenant;
    using _call = await this.#context.ready();
    const event: HubEvent = { id: ids.next(), tenant, source, sender, content, metadata, receivedAt: new Date(clock.now()) };
    const handlers = await eventWriter.write(event);
    if (handlers > 0) {
      processDue();
    }
    publish([{ topic: "hub", tenant, source, change: "event", id: event.id, event }]);
    events.emit("event.created", { tenant, event, handlers });
    return event;
  }

  /** Returns one event with its sender's identity. @throws BelfryError `NOT_FOUND` */
  get(id: string): Promise<IdentifiedEvent> {
    const { hub } = this.#context;
    return found(this.#context, { what: "notification", id }, async (uuid) => (await hub.findEvents(this.#tenant, [uuid]))[0]);
  }

  /** Returns a page of events, newest first. @throws BelfryError `VALIDATION_ERROR` */
  async list(input: HubListInput & { readonly source?: string; readonly sender?: string } = {}): Promise<HubPage<IdentifiedEvent>> {
    const query = parseList(input, ["source", "sender"]);
    using _call = await this.#context.ready();
    return await this.#context.hub.listEvents(this.#tenant, query);
  }

  /** Returns the processing records of an event, in the order they were planned. @throws BelfryError `NOT_FOUND` */
  async records(id: string): Promise<readonly ProcessingRecord[]> {
    const event = await this.get(id);
    return await this.#context.hub.recordsOf(this.#tenant, event.id);
  }

  /**
   * Notes that a client has seen an event. A repeated call keeps the first time.
   *
   * @param client names the client, at most 255 characters
   * @throws BelfryError `NOT_FOUND`
   */
  async acknowledge(id: string, client: string): Promise<void> {
    requireId(id);
    requireNone([textIssue(client, ["client"], NAME_RULE)]);
    const { hub, clock } = this.#context;
    await found(this.#context, { what: "notification", id }, (uuid) =>
      hub.acknowledgeEvent(this.#tenant, uuid, { client, at: new Date(clock.now()) }),
    );
  }

  /** Follows a source from now on. It gets events from every process. Earlier events are not replayed. */
  subscribe(source: string, listener: HubListener): FeedSubscription {
    requireNone([textIssue(source, ["source"], NAME_RULE)]);
    requireFunctions("a listener of a source", listener, ["onEvent", "onSettled"]);
    return this.#feeds.subscribe(this.#tenant, source, listener);
  }
}
