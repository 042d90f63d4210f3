import type { Notification } from "../notifications/index.ts";
import type { CreatedItem } from "./inbox-storage.ts";

/** What `create` answers. */
export interface Created {
  /** The notification as it is stored, with its id. */
  readonly notification: Notification;
  /**
   * Where each recipient's item went. Empty where that is not decided yet: within a transaction of the host, and while
   * a fan-out to more than 1,000 users goes on in the background.
   */
  readonly items: readonly CreatedItem[];
}
