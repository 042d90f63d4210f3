/** Never edit a published migration: databases keep its checksum. Keys are few: they are forgotten after a day. */
export const erasingMigration = `
ALTER TABLE belfry_sends ADD COLUMN erased_recipients integer NOT NULL DEFAULT 0;
ALTER TABLE belfry_idempotency_keys ADD COLUMN notification_id uuid;
UPDATE belfry_idempotency_keys SET notification_id = substring(response FROM '"id":"([0-9a-f-]{36})","tenant":')::uuid;
CREATE INDEX belfry_idempotency_keys_notification ON belfry_idempotency_keys (notification_id);
`;
