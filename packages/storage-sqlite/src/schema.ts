import { tables } from "./schema/tables.ts";

export const {
  notifications,
  inboxItems,
  inboxCounters,
  readMarks,
  fanOutChunks,
  trackings,
  sends,
  deliveries,
  deliveryAttempts,
  idempotencyKeys,
  auditLog,
  apiKeys,
  socketTickets,
  events,
  eventAcks,
  identities,
  handlers,
  prompts,
  processingRecords,
  migrations,
} = tables;
