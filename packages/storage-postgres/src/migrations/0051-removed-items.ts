/** Never edit a published migration: databases keep its checksum. */
export const removedItemsMigration = `
ALTER TABLE belfry_inbox_counters ADD COLUMN removed_up_to_seq bigint;
ALTER TABLE belfry_inbox_counters ADD COLUMN removed_at timestamp(3) with time zone;
ALTER TABLE belfry_inbox_counters ADD COLUMN removed_after_seq bigint;
ALTER TABLE belfry_inbox_changes ADD COLUMN item_count integer;
CREATE INDEX belfry_inbox_counters_removed ON belfry_inbox_counters (removed_at) WHERE removed_at IS NOT NULL;
`;
