import type { CreatedItem, NewNotification } from "../inbox-storage.ts";

/** An entry on its way into the database, and the caller who waits for it. */
export interface PendingWrite {
  readonly entry: NewNotification;
  resolve(items: readonly CreatedItem[]): void;
  reject(error: unknown): void;
}
