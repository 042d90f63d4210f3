/** Never edit a published migration: databases keep its checksum. */
export const decidedMigration = `
ALTER TABLE belfry_notifications ADD COLUMN expires_at INTEGER;
ALTER TABLE belfry_deliveries ADD COLUMN recipient_kind TEXT NOT NULL DEFAULT 'address';
ALTER TABLE belfry_deliveries ADD COLUMN reason_source TEXT;
ALTER TABLE belfry_trackings ADD COLUMN skipped_chains INTEGER NOT NULL DEFAULT 0;
`;
