/** Never edit a published migration: databases keep its checksum. */
export const itemMarksMigration = `
ALTER TABLE belfry_inbox_items ADD COLUMN seen_mark bigint;
ALTER TABLE belfry_inbox_items ADD COLUMN pinned_at timestamp(3) with time zone;
ALTER TABLE belfry_inbox_items ADD COLUMN archived_at timestamp(3) with time zone;
ALTER TABLE belfry_inbox_counters ADD COLUMN seen_up_to_seq bigint;
ALTER TABLE belfry_inbox_counters ADD COLUMN seen_rev bigint;
ALTER TABLE belfry_inbox_counters ADD COLUMN seen_unread bigint;
ALTER TABLE belfry_inbox_counters ADD COLUMN away_unread bigint;
ALTER TABLE belfry_inbox_counters ADD COLUMN away_seen_unread bigint;
CREATE INDEX belfry_inbox_items_archived ON belfry_inbox_items (tenant, user_id, seq) WHERE archived_at IS NOT NULL;
CREATE INDEX belfry_inbox_items_pinned ON belfry_inbox_items (tenant, user_id, seq) WHERE pinned_at IS NOT NULL;
`;
