/** Never edit a published migration: databases keep its checksum. */
export const removedItemsMigration = `
ALTER TABLE belfry_inbox_counters ADD COLUMN removed_up_to_seq INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN removed_at INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN removed_after_seq INTEGER;
ALTER TABLE belfry_inbox_changes ADD COLUMN item_count INTEGER;
CREATE INDEX belfry_inbox_counters_removed ON belfry_inbox_counters (removed_at) WHERE removed_at IS NOT NULL;
`;
