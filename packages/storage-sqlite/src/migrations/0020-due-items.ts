/** Never edit a published migration: databases keep its checksum. */
export const dueItemsMigration = `
ALTER TABLE belfry_inbox_items ADD COLUMN snoozed_until INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN due_at INTEGER;
ALTER TABLE belfry_notifications ADD COLUMN expired_at INTEGER;
CREATE INDEX belfry_inbox_items_snoozed ON belfry_inbox_items (tenant, user_id, seq) WHERE snoozed_until IS NOT NULL;
CREATE INDEX belfry_inbox_counters_due ON belfry_inbox_counters (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX belfry_notifications_expiring ON belfry_notifications (expires_at) WHERE expires_at IS NOT NULL AND expired_at IS NULL;
`;
