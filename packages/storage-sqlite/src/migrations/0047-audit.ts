/** Never edit a published migration: databases keep its checksum. */
export const auditMigration = `
ALTER TABLE belfry_audit_log ADD COLUMN target_kind TEXT;
ALTER TABLE belfry_audit_log ADD COLUMN target_id TEXT;
ALTER TABLE belfry_audit_log ADD COLUMN details TEXT;
CREATE INDEX belfry_audit_log_actor ON belfry_audit_log (tenant, actor, number) WHERE actor <> 'host';
CREATE INDEX belfry_audit_log_action ON belfry_audit_log (tenant, action, number) WHERE action <> 'created';
CREATE INDEX belfry_audit_log_target ON belfry_audit_log (tenant, target_id, number) WHERE target_id IS NOT NULL;
ALTER TABLE belfry_delivery_attempts ADD COLUMN exchange TEXT;
`;
