/** Never edit a published migration: databases keep its checksum. */
export const rangesMigration = `
ALTER TABLE belfry_inbox_changes ADD COLUMN seq_ranges text;
ALTER TABLE belfry_inbox_changes ADD COLUMN first_rev bigint;
ALTER TABLE belfry_inbox_changes ADD COLUMN open_until bigint;
DROP INDEX belfry_inbox_changes_at;
`;
