import type { DeliveryStorage } from "../delivery/delivery-storage.ts";
import type { HubStorage } from "../hub/hub-storage.ts";
import type { InboxStorage } from "../inbox/inbox-storage.ts";
import type { ActivityStorage } from "../operator/activity-storage.ts";
import type { PresenceStorage } from "../realtime/presence-storage.ts";
import type { Transport } from "../realtime/transport.ts";
import type { ApiKeyStorage } from "./api-key-storage.ts";

/**
 * Where Belfry keeps its data. `Tx` is the type of transaction handle that the host can pass in; `Written` is what
 * writing through it returns: nothing where the driver is synchronous, else a promise.
 *
 * An implementation is one package; `@belfry/testkit`'s `storageSuite` is its test.
 */
export interface Storage<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> {
  /** Names the storage in errors and logs, for example `sqlite`. */
  readonly name: string;
  readonly inbox: InboxStorage<Tx, Written>;
  readonly deliveries: DeliveryStorage<Tx, Written>;
  readonly activity: ActivityStorage;
  readonly apiKeys: ApiKeyStorage;
  readonly hub: HubStorage;
  /** Who is connected to which instance. @default everybody is connected to this process */
  readonly presence?: PresenceStorage;
  /**
   * Whether one process at a time uses the storage: leases that another owner left are then released at start.
   */
  readonly hasSingleProcess: boolean;
  /**
   * Where {@link hasSingleProcess} holds: whether no other living process works on the data. Only then are leases that another
   * owner left released at start; it is asked while the storage is open. @default no other does
   */
  isOnlyWorker?(): boolean;
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
  /** Releases what the storage itself opened; a database that the host passed in stays open. Idempotent. */
  close(): Promise<void>;
  /** The transport that suits this storage, used when the host names none. @default the in-process one */
  transport?(): Transport;
}
