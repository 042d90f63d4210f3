/** Never edit a published migration: databases keep its checksum. */
export const dueByTenantMigration = `
CREATE INDEX belfry_deliveries_tenant_due ON belfry_deliveries (tenant, due_at) WHERE status = 'pending' AND lease_owner IS NULL;
`;
