export { apiKeys, auditLog, deliveries, deliveryAttempts, idempotencyKeys, sends, socketTickets, trackings } from "./schema/deliveries.ts";
export { eventAcks, events, handlers, identities, processingRecords, prompts } from "./schema/hub.ts";
export { fanOutChunks, inboxCounters, inboxItems, notifications, readMarks } from "./schema/inbox.ts";
export { migrations } from "./schema/migrations.ts";
