import type { Channel, DeliveryTask, Directory } from "../delivery/index.ts";
import type { Clock } from "../foundation/clock.ts";
import type { Ids } from "../foundation/ids.ts";
import type { Logger } from "../foundation/logger.ts";
import type { Tracing } from "../foundation/tracing.ts";
import type { OnResult, Processor } from "../hub/index.ts";
import type { Categories, DataByType, Typed, TypesMaking, TypesTaking } from "../notifications/index.ts";
import type { AlarmOptions } from "../operator/index.ts";
import type { RetentionOptions } from "../privacy/index.ts";
import type { Transport } from "../realtime/index.ts";
import type { JobQueues } from "../work/job-queue.ts";
import type { ServiceRole } from "./roles.ts";
import type { Storage } from "./storage.ts";

/** Options of deliveries. */
export interface DeliveryOptions {
  /** Whether this process delivers; where it does not, another one on the same database has to. @default true */
  readonly worker?: boolean;
  /** How many deliveries are attempted at once. Others, less than three times as many, may wait for their ends to be written. From 1. @default 100 */
  readonly concurrency?: number;
  /**
   * How long a delivery is this process's own without a sign of life; at least twice the longest timeout of a channel,
   * in milliseconds, from 1_000. @default 60_000
   */
  readonly leaseMs?: number;
  /** How long `stop` waits for deliveries under way before it aborts them, in milliseconds. @default 10_000 */
  readonly drainMs?: number;
}

/** When soft bounces, which give a mail back for now, suppress its address. */
export interface SuppressionOptions {
  /** From how many deliveries on that bounced so, with none between them that is known to have arrived. @default 5 */
  readonly softBounces?: number;
  /** Within how long, in milliseconds. @default 30 days */
  readonly withinMs?: number;
}

/** Options of the hub's handlers. */
export interface HubOptions<Data extends DataByType = DataByType> {
  /** Runs them. @default none: every processing record is FAILED, and says so */
  readonly processor?: Processor;
  /** Called with every result, to create notifications of it for users. @default none */
  readonly onResult?: OnResult<Data>;
  /** Whether this process runs handlers; where it does not, another one on the same database has to. @default true */
  readonly worker?: boolean;
  /**
   * How long a processing record is this process's own without a sign of life, in milliseconds, from 1_000; at least twice the processor's
   * timeout. @default 60_000, or twice the timeout if that is longer
   */
  readonly leaseMs?: number;
  /**
   * How long `stop` waits for handlers under way before it aborts them, in milliseconds. What is aborted is begun anew by
   * the next process. @default 10_000
   */
  readonly drainMs?: number;
}

/** Options of a {@link NotificationService}. Only the storage is required. */
export interface NotificationServiceOptions<
  Data extends DataByType = DataByType,
  Tx = unknown,
  Written extends void | Promise<void> = void | Promise<void>,
  Made extends DataByType = Data,
> {
  /** Where the data is kept. */
  readonly storage: Storage<Tx, Written>;
  /** The notification types of the host, from `defineTypes`. @default any type, any JSON object as data */
  readonly types?: TypesTaking<Data> & TypesMaking<Made>;
  /** The categories of the types, with their names for people; a type that has another one is refused. @default any, named after themselves */
  readonly categories?: Categories;
  /** The language of the texts that types make for what is stored, as a BCP 47 tag. @default "en" */
  readonly locale?: string;
  /**
   * The address under which others reach the handler of this service, with the prefix of its mount: `https://example.com` or
   * `https://example.com/notifications`. It needs {@link linkSecret}: with both, tasks of channels get a link that switches them off.
   * @default none: there are no such links
   */
  readonly publicUrl?: string;
  /**
   * Signs links, at least 32 characters. Of a list, the first one signs, and links of the others stay valid: put a new one before
   * the old. It has to be the same in every process, and needs {@link publicUrl}. @default none: there are no such links
   */
  readonly linkSecret?: string | readonly string[];
  /** Ways to reach recipients beside the inbox: e-mail, webhooks, the host's own. @default none */
  readonly channels?: readonly Channel<Typed<DeliveryTask, NoInfer<Made>>>[];
  /** The host's knowledge of its users' addresses. @default none: recipients are addresses themselves */
  readonly directory?: Directory;
  /**
   * What this process does of the work in the background, where several processes share a database. `worker` makes deliveries, closes
   * digests, places large audiences, tells of alarms and tidies up; `hub` runs the hub's handlers; `web` does none of it; `all` does all of it;
   * `command` is for tools beside the application, also on SQLite: of the work in the background it does the retry runs alone. There has to
   * be a process for each kind of work. Every call works in every role, and clients may connect.
   * @default "all"
   */
  readonly role?: ServiceRole;
  /** How deliveries are made. */
  readonly delivery?: DeliveryOptions;
  /** When soft bounces suppress an address. Hard bounces and complaints do at once. */
  readonly suppression?: SuppressionOptions;
  /** Who is told when deliveries wait too long, or fail. @default nobody */
  readonly alarms?: AlarmOptions;
  /** How the hub's handlers are run. */
  readonly hub?: HubOptions<NoInfer<Data>>;
  /**
   * Has deliveries and the hub's handlers run as jobs of a queue: `bullmqWorker({ connection })` of `@belfry/worker-bullmq`. With it, a process
   * whose `delivery.worker` or `hub.worker` is false adds jobs, too, and runs none. @default Belfry claims what is due itself
   */
  readonly worker?: JobQueues;
  /** How long data is kept, for example `{ readMs: 90 * 86_400_000 }`. A sweep runs at the start and every hour. @default for ever */
  readonly retention?: RetentionOptions;
  /**
   * How many bytes of memory the content cache takes at the most, roughly: it keeps pages of inboxes that are read again before anything of
   * them changes. 0 keeps none. @default 33_554_432
   */
  readonly contentCacheBytes?: number;
  /** How changes travel between processes. @default the storage's own, else within this process */
  readonly transport?: Transport;
  /** Anything pino-shaped. @default warnings and errors on the console */
  readonly logger?: Logger;
  /** Follows what the service does, for traces: `openTelemetryTracing()` of `@belfry/telemetry`. @default nothing is traced */
  readonly tracing?: Tracing;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** @default UUIDv7 */
  readonly ids?: Ids;
  /** The tenant of calls that name none. @default "default" */
  readonly defaultTenant?: string;
}
