/** Never edit a published migration: databases keep its checksum. */
export const rangesMigration = `
ALTER TABLE belfry_inbox_changes ADD COLUMN seq_ranges TEXT;
ALTER TABLE belfry_inbox_changes ADD COLUMN first_rev INTEGER;
ALTER TABLE belfry_inbox_changes ADD COLUMN open_until INTEGER;
DROP INDEX belfry_inbox_changes_at;
`;
