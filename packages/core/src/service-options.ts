import type { Clock } from "./clock.ts";
import type { Ids } from "./ids.ts";
import type { Logger } from "./logger.ts";
import type { NotificationTypes } from "./model/notification-types.ts";
import type { Storage } from "./storage.ts";
import type { Transport } from "./transport.ts";

/** How a {@link NotificationService} is put together. Only the storage is required. */
export interface NotificationServiceOptions<
  Types extends NotificationTypes = NotificationTypes,
  Tx = unknown,
  Written extends void | Promise<void> = void | Promise<void>,
> {
  /** Where the data is kept. */
  readonly storage: Storage<Tx, Written>;
  /** The notification types of the host, from `defineTypes`. @default any type, any JSON object as data */
  readonly types?: Types;
  /** How changes travel between processes. @default the storage's own, else within this process */
  readonly transport?: Transport;
  /** Anything pino-shaped. @default warnings and errors on the console */
  readonly logger?: Logger;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** @default UUIDv7 */
  readonly ids?: Ids;
  /** The tenant of calls that name none. @default "default" */
  readonly defaultTenant?: string;
}
