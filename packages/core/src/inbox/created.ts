import type { Notification } from "../notifications/index.ts";
import type { CreatedItem } from "./inbox-storage.ts";

/** The result of `create`. */
export interface Created {
  /** The notification as it is stored, with its id. */
  readonly notification: Notification;
  /**
   * The place of each recipient's item. It is empty while that is not decided: within a transaction of the host, and while a
   * fan-out to more than 1,000 users runs in the background.
   */
  readonly items: readonly CreatedItem[];
}
