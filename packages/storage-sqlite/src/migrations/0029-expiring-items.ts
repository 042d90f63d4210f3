/** Never edit a published migration: databases keep its checksum. */
export const expiringItemsMigration = `
ALTER TABLE belfry_inbox_items ADD COLUMN expires_at INTEGER;
ALTER TABLE belfry_inbox_groups ADD COLUMN due_at INTEGER;
CREATE INDEX belfry_inbox_items_expiring ON belfry_inbox_items (tenant, user_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX belfry_inbox_items_snoozed_group ON belfry_inbox_items (tenant, user_id, group_name, seq) WHERE snoozed_until IS NOT NULL;
CREATE INDEX belfry_inbox_groups_due ON belfry_inbox_groups (tenant, user_id) WHERE due_at IS NOT NULL;
`;
