/** Never edit a published migration: databases keep its checksum. */
export const itemMarksMigration = `
ALTER TABLE belfry_inbox_items ADD COLUMN seen_mark INTEGER;
ALTER TABLE belfry_inbox_items ADD COLUMN pinned_at INTEGER;
ALTER TABLE belfry_inbox_items ADD COLUMN archived_at INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN seen_up_to_seq INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN seen_rev INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN seen_unread INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN away_unread INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN away_seen_unread INTEGER;
CREATE INDEX belfry_inbox_items_archived ON belfry_inbox_items (tenant, user_id, seq) WHERE archived_at IS NOT NULL;
CREATE INDEX belfry_inbox_items_pinned ON belfry_inbox_items (tenant, user_id, seq) WHERE pinned_at IS NOT NULL;
`;
