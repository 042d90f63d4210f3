/** Never edit a published migration: databases keep its checksum. */
export const decidedMigration = `
ALTER TABLE belfry_notifications ADD COLUMN expires_at timestamp(3) with time zone;
ALTER TABLE belfry_deliveries ADD COLUMN recipient_kind text NOT NULL DEFAULT 'address';
ALTER TABLE belfry_deliveries ADD COLUMN reason_source text;
ALTER TABLE belfry_trackings ADD COLUMN skipped_chains integer NOT NULL DEFAULT 0;
`;
