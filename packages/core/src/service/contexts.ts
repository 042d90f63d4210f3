import { type CreatingContext, create, HOST_RULES } from "../creating/index.ts";
import { type Channel, type DeliveryContext, type Directory, readHook, retrySend, sendWriter } from "../delivery/index.ts";
import type { BaseContext } from "../foundation/context.ts";
import { eventWriter, type HubContext, planProcessing } from "../hub/index.ts";
import { GroupCommit, type InboxContext } from "../inbox/index.ts";
import type { NotificationTypes } from "../notifications/index.ts";
import type { OperatorContext } from "../operator/index.ts";
import type { PrivacyContext } from "../privacy/index.ts";
import type { Presence, Signal } from "../realtime/index.ts";
import { TurnQueue } from "../work/timing.ts";
import type { EventEmitter } from "./events.ts";
import type { Storage } from "./storage.ts";

/** The context of every domain. */
export interface Contexts<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> {
  readonly creating: CreatingContext<Tx, Written>;
  readonly inbox: InboxContext;
  readonly delivery: DeliveryContext<Tx, Written>;
  readonly hub: HubContext;
  readonly operator: OperatorContext;
  readonly privacy: PrivacyContext;
}

/** The queues in which writes of one turn of the event loop gather. */
export type Writers = Pick<CreatingContext, "writer"> & Pick<DeliveryContext, "sendWriter"> & Pick<HubContext, "eventWriter">;

/** The parts that the contexts are built from. */
export interface ContextParts<Tx, Written extends void | Promise<void>> {
  readonly base: BaseContext;
  readonly storage: Storage<Tx, Written>;
  readonly writers: Writers;
  readonly types: NotificationTypes;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly directory: Directory | null;
  readonly presence: Presence;
  readonly events: EventEmitter;
  /** Wakes the background work. */
  readonly wake: Pick<CreatingContext, "fanOut"> & Pick<DeliveryContext, "deliverDue"> & Pick<HubContext, "processDue">;
  publish(signals: readonly Signal[]): void;
}

/** Builds each domain's context, and connects the domains. */
export function contextsOf<Tx, Written extends void | Promise<void>>(parts: ContextParts<Tx, Written>): Contexts<Tx, Written> {
  const { base, storage, writers, types, channels, directory, presence, events, wake, publish } = parts;
  const { inbox, deliveries, hub, activity } = storage;
  const shared = { ...base, events, publish };
  const creating: CreatingContext<Tx, Written> = { ...shared, inbox, types, writer: writers.writer, fanOut: wake.fanOut };
  const delivery: DeliveryContext<Tx, Written> = {
    ...shared,
    storage,
    deliveries,
    types,
    channels,
    directory,
    presence,
    turns: new TurnQueue(),
    sendWriter: writers.sendWriter,
    deliverDue: wake.deliverDue,
  };
  return {
    creating,
    delivery,
    inbox: { ...shared, inbox, reads: readHook(delivery as DeliveryContext) },
    hub: {
      ...shared,
      storage,
      hub,
      eventWriter: writers.eventWriter,
      processDue: wake.processDue,
      create: (request) => create(creating as CreatingContext, { ...request, rules: HOST_RULES }),
    },
    privacy: { ...shared, inbox, deliveries, hub, activity },
    operator: { ...base, activity, deliveries, hub, retrySend: (request) => retrySend(delivery as DeliveryContext, request) },
  };
}

/** Makes the queues that all contexts of a service share. */
export function writersOf({ inbox, deliveries, hub }: Storage, { ids, clock }: Pick<BaseContext, "ids" | "clock">): Writers {
  return {
    writer: new GroupCommit(inbox),
    sendWriter: sendWriter(deliveries, () => new Date(clock.now())),
    eventWriter: eventWriter(hub, planProcessing({ ids })),
  };
}
