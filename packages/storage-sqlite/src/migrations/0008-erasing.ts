/** Never edit a published migration: databases keep its checksum. Keys are few: they are forgotten after a day. */
export const erasingMigration = `
ALTER TABLE belfry_sends ADD COLUMN erased_recipients INTEGER NOT NULL DEFAULT 0;
ALTER TABLE belfry_idempotency_keys ADD COLUMN notification_id TEXT;
UPDATE belfry_idempotency_keys SET notification_id = json_extract(response, '$.id') WHERE json_valid(response);
CREATE INDEX belfry_idempotency_keys_notification ON belfry_idempotency_keys (notification_id);
`;
