import { type BroadcastContext, Broadcasting, beginAndPlace, type DevicesContext, type TopicsContext } from "../audiences/index.ts";
import { createNotification, createTracked, FanOut, HOST_RULES, type VerbContext } from "../creating/index.ts";
import { type DecisionsContext, PreferencesReader, UnsubscribeLinks } from "../decisions/index.ts";
import {
  type Channel,
  channelsByName,
  type DeliveryContext,
  moveWindows,
  moveWindowsOfAll,
  reachableOver,
  readHook,
  readsOfOperators,
  reconsider,
  reserveTurns,
  sendWriter,
  tryAgain,
  UntoldSuppressions,
} from "../delivery/index.ts";
import { systemClock } from "../foundation/clock.ts";
import type { Owner, WorkContext } from "../foundation/context.ts";
import { uuidV7 } from "../foundation/ids.ts";
import { consoleLogger } from "../foundation/logger.ts";
import { RepeatedLines } from "../foundation/repeated-lines.ts";
import { eventWriter, type HubContext, planProcessing } from "../hub/index.ts";
import {
  applyDue,
  CONTENT_CACHE_BYTES,
  ContentCache,
  DueItems,
  GroupCommit,
  type InboxContext,
  type InboxCounts,
  isDue,
} from "../inbox/index.ts";
import type { DataByType, NotificationTypes } from "../notifications/index.ts";
import { type AlarmContext, Alarms, HealthUpkeep, Heartbeat, type OperatorContext, Retrying } from "../operator/index.ts";
import { type PrivacyContext, Retention } from "../privacy/index.ts";
import { type Feeds, HubFeeds, InboxFeeds, type InboxFeedsOptions, memoryTransport, Presence } from "../realtime/index.ts";
import type { DueWorker } from "../work/due-worker.ts";
import { TurnQueue } from "../work/timing.ts";
import { EventEmitter } from "./events.ts";
import { Lifecycle } from "./lifecycle.ts";
import { lifecyclePartsOf } from "./lifecycle-parts.ts";
import { listenersOf, otherProcesses, presenceOf } from "./other-processes.ts";
import { ReadinessCheck } from "./readiness.ts";
import { workOf } from "./roles.ts";
import type { HubOptions, NotificationServiceOptions, SuppressionOptions } from "./service-options.ts";
import type { Storage } from "./storage.ts";
import { workersOf } from "./workers.ts";

/** The parts that the operations of a service use: one object, of which each domain names what it takes. */
export type ServiceContext<Tx, Written extends void | Promise<void>> = VerbContext<Tx, Written> &
  InboxContext &
  HubContext &
  OperatorContext &
  AlarmContext &
  PrivacyContext &
  BroadcastContext<Tx, Written> &
  DecisionsContext &
  TopicsContext &
  DevicesContext & { readonly storage: Storage<Tx, Written>; readonly unsubscribeLinks: UnsubscribeLinks | null };

/** The parts that the notifications of a tenant use. */
export interface TenantParts<Tx, Written extends void | Promise<void>> {
  readonly context: ServiceContext<Tx, Written>;
  readonly feeds: Feeds;
}

/** The parts of a service. */
export interface ServiceParts<Tx, Written extends void | Promise<void>> extends TenantParts<Tx, Written> {
  readonly events: EventEmitter;
  readonly lifecycle: Lifecycle;
  readonly readiness: ReadinessCheck;
  readonly fanOut: FanOut;
  readonly dueItems: DueItems;
  readonly broadcasting: Broadcasting;
  readonly retrying: Retrying;
  readonly alarms: Alarms;
  readonly retention: Retention;
  /** The workers of this process. */
  readonly workers: readonly DueWorker<unknown>[];
}

/** Makes the parts of a service, and connects them. */
export function servicePartsOf<Data extends DataByType, Tx, Written extends void | Promise<void>, Made extends DataByType>(
  options: NotificationServiceOptions<Data, Tx, Written, Made>,
): ServiceParts<Tx, Written> {
  const { storage, logger = consoleLogger, clock = systemClock, role = "all" } = options;
  const work = workOf(role);
  const ids = options.ids ?? uuidV7(clock);
  const transport = options.transport ?? storage.transport?.() ?? memoryTransport();
  const { wakeOrCall, ...others } = otherProcesses({ transport, storage, clock });
  const events = new EventEmitter();
  const instance = ids.next();
  const ask = () => others.publish([{ topic: "presence", instance }]);
  const readyForWork = () => lifecycle.readyForWork();
  const presence = new Presence({ ...presenceOf({ transport, storage }), instance, ask, clock, logger, ready: readyForWork });
  const writers = {
    writer: new GroupCommit(storage.inbox),
    sendWriter: sendWriter(storage.deliveries, clock, (send) => context.reserveTurns(send)),
    eventWriter: eventWriter(storage.hub, planProcessing({ ids })),
  };
  const context: ServiceContext<Tx, Written> = contextOf<Tx, Written>({
    ...{ clock, ids, logger, ...writers, storage, events, presence, instance, ...others },
    types: options.types ?? {},
    categories: options.categories ?? {},
    unsubscribeLinks: unsubscribeLinksOf(options.types ?? {}, options),
    locale: options.locale ?? "en",
    contents: new ContentCache(options.contentCacheBytes ?? CONTENT_CACHE_BYTES),
    channels: channelsByName((options.channels ?? []) as readonly Channel[]),
    ...{ tracing: options.tracing ?? null, directory: options.directory ?? null, softBounces: softBouncesOf(options.suppression) },
    ...{ turns: new TurnQueue(), lines: new RepeatedLines(logger, clock), untoldSuppressions: new UntoldSuppressions() },
    ready: () => lifecycle.ready(),
    requireRunning: () => lifecycle.requireRunning(),
    ...(transport.isLocal === true && followedBy(() => feeds.inbox)),
    fanOut: () => fanOut.loop.wake(),
    dueItems: () => dueItems.loop.wake(),
    ...{ wakeBroadcasts: () => broadcasting.wake(), readOn: () => broadcasting.readOn() },
    placeLater: (owners) => broadcasting.add(owners),
    deliverDue: () => wakeOrCall(delivering, "deliveries"),
    reserveTurns: (send) => reserveTurns(delivering, send),
    closeDigests: () => wakeOrCall(bundling, "digests"),
    processDue: () => wakeOrCall(processing, "records"),
    ...{ goOnRetrying: () => retrying.loop.wake(), workers: () => workers.flatMap(({ load }) => load ?? []) },
  });
  const listening = { transport, clock, logger, ready: () => lifecycle.listening() };
  const feeds: Feeds = feedsOf(listening, { context, presence });
  const background = contextOf<Tx, Written>({ ...context, ready: readyForWork });
  const [fanOut, dueItems, retrying] = [new FanOut(background, work.fanOutLookMs), new DueItems(background), new Retrying(background)];
  const [broadcasting, retention] = [new Broadcasting(background, feeds.inbox, work), new Retention(background, options.retention ?? {})];
  const [upkeep, heartbeat] = [new HealthUpkeep(background), new Heartbeat(background)];
  const alarms = new Alarms(background, heartbeat, options);
  const [delivery, hub] = [options.delivery ?? {}, (options.hub ?? {}) as unknown as HubOptions];
  const { delivering, bundling, processing } = workersOf(background, { delivery, hub, queues: options.worker }, role);
  const workers = [bundling, delivering, processing].filter((worker) => worker !== null);
  const listeners = listenersOf({ ...others, presence }, { deliveries: delivering, digests: bundling, records: processing });
  const living = { context, feeds, fanOut, dueItems, broadcasting, retrying, alarms, retention, workers, listeners };
  const lifecycle: Lifecycle = new Lifecycle(lifecyclePartsOf({ ...living, upkeep, heartbeat, transport }, work));
  return { ...living, events, lifecycle, readiness: new ReadinessCheck({ storage, lifecycle, clock }) };
}

/** Whom creates have to tell, where nobody but this process's subscribers is to be told. */
function followedBy(feeds: () => InboxFeeds): Pick<VerbContext, "follows" | "followsAny"> {
  return { follows: (owner) => feeds().follows(owner), followsAny: () => feeds().followsAny() };
}

/** Makes the feeds of a service. */
function feedsOf<Tx, Written extends void | Promise<void>>(
  listening: WorkContext & Pick<InboxFeedsOptions, "transport">,
  { context, presence }: { readonly context: ServiceContext<Tx, Written>; readonly presence: Presence },
): Feeds {
  const { inbox, hub, tracing, placeLater: placeBroadcasts } = context;
  const due = { isDue: (counts: InboxCounts) => isDue(context, counts), applyDue: (owner: Owner) => applyDue(context, owner) };
  return {
    inbox: new InboxFeeds({ ...listening, ...due, inbox, presence, tracing, placeBroadcasts }),
    hub: new HubFeeds({ ...listening, hub }),
  };
}

const SOFT_BOUNCES_MS = 30 * 86_400_000;

/** From how many soft bounces within which time on an address is suppressed. */
function softBouncesOf({ softBounces: most = 5, withinMs = SOFT_BOUNCES_MS }: SuppressionOptions = {}): DeliveryContext["softBounces"] {
  return { most, withinMs };
}

function unsubscribeLinksOf(
  types: NotificationTypes,
  { publicUrl, linkSecret }: Pick<NotificationServiceOptions, "publicUrl" | "linkSecret">,
): UnsubscribeLinks | null {
  if (publicUrl === undefined || linkSecret === undefined) {
    return null;
  }
  const secrets = typeof linkSecret === "string" ? [linkSecret] : linkSecret;
  return new UnsubscribeLinks({ publicUrl: publicUrl.replace(/\/+$/, ""), secrets }, types);
}

/** Connects the domains: hands each the functions of another one that it may call. */
function contextOf<Tx, Written extends void | Promise<void>>(
  parts: Omit<
    ServiceContext<Tx, Written>,
    | "inbox"
    | "replica"
    | "deliveries"
    | "hub"
    | "activity"
    | "decisions"
    | "digests"
    | "holds"
    | "topics"
    | "devices"
    | "suppressions"
    | "preferences"
    | "reachable"
    | "reconsider"
    | "moveWindows"
    | "reads"
    | "create"
    | "broadcasts"
    | "beginInboxes"
    | "broadcast"
    | "endBroadcast"
    | "lookAtInboxes"
    | "placeMissed"
    | "retryRuns"
    | "alarms"
    | "health"
    | "tryAgain"
    | "addressesOf"
    | "preview"
    | "track"
  >,
): ServiceContext<Tx, Written> {
  const { inbox, deliveries, digests, holds, hub, activity, retryRuns, alarms, health, decisions, topics, broadcasts } = parts.storage;
  const { devices, suppressions } = parts.storage;
  const shared = {
    ...{
      ...parts,
      inbox,
      replica: parts.storage.replica ?? null,
      deliveries,
      digests,
      holds,
      hub,
      activity,
      retryRuns,
      alarms,
      health,
      decisions,
      topics,
      broadcasts,
      devices,
      suppressions,
    },
    preferences: new PreferencesReader(decisions),
    lookAtInboxes: () => parts.publish([{ topic: "inboxes" }]),
    beginInboxes: (tenant: string, userIds: readonly string[]) => broadcasts.beginAll(tenant, userIds),
    broadcast(tenant: string) {
      parts.placeConnected(tenant);
      parts.wakeBroadcasts();
    },
    endBroadcast: (...ended: Parameters<typeof broadcasts.end>) => broadcasts.end(...ended),
  };
  return {
    ...shared,
    async reconsider(owner) {
      await reconsider(shared as DeliveryContext, owner);
      await moveWindows(shared as DeliveryContext, owner);
    },
    moveWindows: (tenant) => moveWindowsOfAll(shared as DeliveryContext, tenant),
    async placeMissed(owner) {
      const placed = await beginAndPlace(shared, owner);
      if (placed === "more") {
        parts.placeLater([owner]);
      }
      return placed !== "held";
    },
    reachable: (owner) => reachableOver(shared as DeliveryContext, owner),
    reads: readHook(shared as DeliveryContext),
    create: (request) => createNotification(shared as VerbContext, { ...request, rules: HOST_RULES }),
    ...readsOfOperators(shared as DeliveryContext),
    tryAgain: (request) => tryAgain(shared as DeliveryContext, request),
    track: (request) => createTracked(shared as VerbContext, request),
  };
}
