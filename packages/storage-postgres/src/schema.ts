import { declareIn, tables } from "./schema/tables.ts";

/**
 * Belfry's drizzle tables in the PostgreSQL schema `name`, for hosts that set the storage's option `schema`.
 *
 * @example
 * ```ts
 * export const { notifications, inboxItems, inboxCounters, readMarks, fanOutChunks, migrations } = tablesIn("belfry");
 * ```
 */
export function tablesIn(name: string) {
  return declareIn(name);
}

export const {
  notifications,
  inboxItems,
  inboxCounters,
  inboxGroups,
  readMarks,
  fanOuts,
  fanOutParts,
  inboxChanges,
  fanOutChunks,
  trackings,
  sends,
  deliveries,
  deliveryAttempts,
  attemptSums,
  idempotencyKeys,
  auditLog,
  apiKeys,
  socketTickets,
  presence,
  events,
  eventAcks,
  identities,
  handlers,
  prompts,
  processingRecords,
  choices,
  settings,
  circuits,
  pauses,
  takenAddresses,
  throttles,
  digests,
  digestEntries,
  subscriptions,
  audiences,
  broadcastNumbers,
  broadcasts,
  contentTokens,
  deletedUsers,
  itemUpdates,
  endedBroadcasts,
  devices,
  retryRuns,
  alarms,
  backlogSamples,
  workerHeartbeats,
  suppressions,
  softBounces,
  migrations,
} = tables;
