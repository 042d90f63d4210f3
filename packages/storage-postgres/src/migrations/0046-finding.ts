/** Never edit a published migration: databases keep its checksum. */
export const findingMigration = `
CREATE INDEX belfry_delivery_attempts_message ON belfry_delivery_attempts (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX belfry_processing_records_tenant_failed ON belfry_processing_records (tenant, pk) WHERE status = 'FAILED';
CREATE INDEX belfry_processing_records_tenant_retrying ON belfry_processing_records (tenant, pk) WHERE status = 'PENDING' AND attempt > 0;
`;
