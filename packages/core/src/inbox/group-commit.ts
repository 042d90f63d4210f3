import type { Notification } from "../notifications/index.ts";
import { countUpTo } from "../work/batch-queue.ts";
import { LaneQueue } from "../work/lane-queue.ts";
import type { InboxStorage } from "./inbox-storage.ts";
import type { CreatedItem, NewNotification } from "./new-items-storage.ts";

/** The result of `create`. */
export interface Created {
  /** The notification as it is stored, with its id. */
  readonly notification: Notification;
  /**
   * The place of each recipient's item. It is empty where that is not decided yet: within a transaction of the host, for a
   * schedule, and from 1,001 recipients on, when the notification and their list are durable, and the
   * items follow in the background. It is also empty for the repetition of an earlier call.
   */
  readonly items: readonly CreatedItem[];
}

/** The limit of a batch. It bounds how long one transaction holds a synchronous database. */
const BATCH = { most: 256, mostWeight: 1_000 };

/**
 * Writes creates that arrive at the same time in one transaction. A write to an inbox that a host's transaction holds goes
 * to a lane of its own, so that other writes do not wait for it.
 */
export class GroupCommit extends LaneQueue<NewNotification, readonly CreatedItem[]> {
  constructor(inbox: Pick<InboxStorage, "createMany">) {
    super({
      count: (queue) => countUpTo(queue, BATCH, ({ recipients }) => recipients.length),
      write: (entries, options) => inbox.createMany(entries, options),
      // A write to several inboxes has a lane for that list, because it waits for the busiest of them.
      laneOf: ({ notification, recipients }) => JSON.stringify([notification.tenant, ...recipients]),
    });
  }
}
