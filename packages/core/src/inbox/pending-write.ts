import type { Pending } from "../work/batch-queue.ts";
import type { CreatedItem, NewNotification } from "./inbox-storage.ts";

/** An entry on its way into the inbox storage, with the caller that waits for it. */
export type PendingWrite = Pending<NewNotification, readonly CreatedItem[]>;
