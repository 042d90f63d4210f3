import type { BroadcastStorage, DevicesStorage, TopicsStorage } from "../audiences/index.ts";
import type { DecisionsStorage } from "../decisions/index.ts";
import type { DeliveryStorage, DigestStorage, HoldsStorage, SuppressionsStorage } from "../delivery/index.ts";
import type { HubStorage } from "../hub/index.ts";
import type { InboxStorage, ReplicaStorage } from "../inbox/index.ts";
import type { ActivityStorage, AlarmStorage, HealthStorage, RetryRunStorage } from "../operator/index.ts";
import type { PresenceStorage, Transport } from "../realtime/index.ts";
import type { SharedStorage } from "../work/lease-storage.ts";
import type { ApiKeyStorage } from "./api-key-storage.ts";
import type { SocketTicketStorage } from "./socket-tickets.ts";
import type { StorageDatabase } from "./storage-database.ts";

/**
 * The version of the {@link Storage} interface that this core speaks. It grows with every change that an implementation
 * has to follow. An implementation states the number it was written for, as a number of its own.
 */
export const STORAGE_VERSION = 1;

/**
 * Where Belfry keeps its data. `Tx` is the type of transaction handle that the host can pass in; `Written` is what
 * writing through it returns: nothing where the driver is synchronous, else a promise.
 *
 * An implementation is one package; `@belfry/testkit`'s `storageSuite` is its test.
 */
export interface Storage<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> extends SharedStorage {
  /** The version of this interface that the storage was written for; a service refuses any but its own {@link STORAGE_VERSION}. */
  readonly version: typeof STORAGE_VERSION;
  readonly inbox: InboxStorage<Tx, Written>;
  readonly deliveries: DeliveryStorage<Tx, Written>;
  readonly activity: ActivityStorage;
  readonly health: HealthStorage;
  readonly retryRuns: RetryRunStorage;
  readonly alarms: AlarmStorage;
  readonly apiKeys: ApiKeyStorage;
  readonly socketTickets: SocketTicketStorage;
  readonly hub: HubStorage;
  readonly decisions: DecisionsStorage;
  readonly digests: DigestStorage;
  readonly holds: HoldsStorage;
  readonly topics: TopicsStorage;
  readonly broadcasts: BroadcastStorage<Tx, Written>;
  readonly devices: DevicesStorage;
  readonly suppressions: SuppressionsStorage;
  /** Who is connected to which instance. @default everybody is connected to this process */
  readonly presence?: PresenceStorage;
  /** Answers reads that may be behind. @default the database itself answers */
  readonly replica?: ReplicaStorage;
  /** Looks at the database from outside, for those who run it. */
  readonly database: StorageDatabase;
  /**
   * Whether the host's transactions are synchronous, so that nothing can be awaited inside: `create` and `send` then refuse to
   * write through one, and `prepare` and `write` do it. @default they are not
   */
  readonly hasSynchronousTransactions?: boolean;
  /**
   * Connects and, unless the storage was told not to, migrates. The service calls it before the first operation; it is
   * safe when several processes do so at once. A call that failed may be repeated.
   */
  open(): Promise<void>;
  /**
   * Asks the database for an answer, at little cost, while the storage is open.
   *
   * @throws BelfryError `STORAGE_UNAVAILABLE` or `STORAGE_FAILED` when there is none within `timeoutMs`
   */
  ping(timeoutMs: number): Promise<void>;
  /** Releases what the storage itself opened; a database that the host passed in stays open. Idempotent. */
  close(): Promise<void>;
  /** The transport that suits this storage, used when the host names none. @default the in-process one */
  transport?(): Transport;
}
