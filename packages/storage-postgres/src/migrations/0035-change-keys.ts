/**
 * Never edit a published migration: databases keep its checksum.
 *
 * Few changes have a key, and the index has only those.
 */
export const changeKeysMigration = `
ALTER TABLE belfry_inbox_changes ADD COLUMN idempotency_key text COLLATE "C";
ALTER TABLE belfry_inbox_changes ADD COLUMN body_hash text;
ALTER TABLE belfry_inbox_changes ADD COLUMN found integer;
CREATE UNIQUE INDEX belfry_inbox_changes_idempotency ON belfry_inbox_changes (tenant, user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
`;
