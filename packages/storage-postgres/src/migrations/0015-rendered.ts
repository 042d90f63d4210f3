/** Never edit a published migration: databases keep its checksum. */
export const renderedMigration = `
ALTER TABLE belfry_notifications ADD COLUMN rendered integer;
`;
