import type { CreatedItem, NewNotification } from "../inbox-storage.ts";
import type { Pending } from "./batch-queue.ts";

/** An entry on its way into the inbox storage, and the caller who waits for it. */
export type PendingWrite = Pending<NewNotification, readonly CreatedItem[]>;
