/** Never edit a published migration: databases keep its checksum. */
export const quietMigration = `
CREATE INDEX belfry_deliveries_quiet ON belfry_deliveries (tenant, recipient) WHERE reason = 'quiet_hours';
`;
