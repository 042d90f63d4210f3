import type { CreatedItem } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import type { TableNames } from "../database/table-names.ts";
import { BUSY_TIMEOUT_MS, prepareBusyInboxes } from "./busy-inboxes.ts";
import { distinctEntries, entriesOutside, entryKey, inboxesOf } from "./distinct-entries.ts";
import { LOCK_TIMEOUT_MS } from "./held-inbox.ts";
import { prepareWriteEntries } from "./write-entries.ts";

type Answer = readonly CreatedItem[] | null;

/** How often a batch that met held inboxes is tried before all of it is taken for busy. */
const BUSY_ATTEMPTS = 5;

/** Writes entries, all or none, whose inboxes others may hold. */
export function prepareCreateMany(tables: TableNames) {
  const writeWaiting = prepareWriteWaiting(tables);
  const writeFree = prepareWriteFree(tables);
  return (entries: readonly NewNotification[], { skipBusy = false }: { readonly skipBusy?: boolean } = {}) =>
    async (session: Session): Promise<readonly Answer[]> => {
      if (entries.length === 0) {
        return [];
      }
      const distinct = distinctEntries(entries);
      const answers = await (skipBusy ? writeFree : writeWaiting)(session, distinct);
      if (distinct.length === entries.length) {
        return answers;
      }
      const byKey = new Map(distinct.map((entry, index) => [entryKey(entry), answers[index] ?? null]));
      return entries.map((entry) => byKey.get(entryKey(entry)) ?? null);
    };
}

/** Writes all entries. It holds no inbox while it waits for another, so that nobody else has to wait for this batch. */
function prepareWriteWaiting(tables: TableNames) {
  const writeEntries = prepareWriteEntries(tables);
  const busyInboxes = prepareBusyInboxes(tables);
  return async (session: Session, entries: readonly NewNotification[]): Promise<readonly Answer[]> => {
    const inboxes = inboxesOf(entries);
    if (inboxes.length === 1) {
      return writeEntries(session, entries, { lockTimeoutMs: LOCK_TIMEOUT_MS });
    }
    const deadline = performance.now() + LOCK_TIMEOUT_MS;
    for (;;) {
      try {
        return await writeEntries(session, entries, { lockTimeoutMs: BUSY_TIMEOUT_MS });
      } catch (error) {
        if (!isLockTimeout(error) || performance.now() > deadline) {
          throw error;
        }
      }
      await busyInboxes.waitForFirst(session, inboxes);
    }
  };
}

/** Writes the entries whose inboxes nobody holds, and answers the others with null. */
function prepareWriteFree(tables: TableNames) {
  const writeEntries = prepareWriteEntries(tables);
  const busyInboxes = prepareBusyInboxes(tables);
  return async (session: Session, entries: readonly NewNotification[]): Promise<readonly Answer[]> => {
    let free = entries;
    for (let attempt = 1; free.length > 0 && attempt <= BUSY_ATTEMPTS; attempt += 1) {
      try {
        const written = await writeEntries(session, free, { lockTimeoutMs: BUSY_TIMEOUT_MS });
        const byEntry = new Map(free.map((entry, index) => [entry, written[index]]));
        return entries.map((entry) => byEntry.get(entry) ?? null);
      } catch (error) {
        if (!isLockTimeout(error)) {
          throw error;
        }
      }
      free = entriesOutside(free, await busyInboxes.find(session, inboxesOf(free)));
    }
    return entries.map(() => null);
  };
}
