/** Never edit a published migration: databases keep its checksum. */
export const byTypeMigration = `
CREATE INDEX belfry_notifications_tenant_type ON belfry_notifications (tenant, type, id);
`;
