/** Never edit a published migration: databases keep its checksum. */
export const categoriesMigration = `
ALTER TABLE belfry_notifications ADD COLUMN category TEXT;
ALTER TABLE belfry_inbox_items ADD COLUMN category TEXT;
ALTER TABLE belfry_inbox_items ADD COLUMN woken_at INTEGER;
CREATE INDEX belfry_inbox_items_woken ON belfry_inbox_items (tenant, user_id, seq) WHERE woken_at IS NOT NULL;
`;
