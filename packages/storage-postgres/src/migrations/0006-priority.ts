/** Never edit a published migration: databases keep its checksum. */
export const priorityMigration = `
ALTER TABLE belfry_notifications ADD COLUMN priority text NOT NULL DEFAULT 'normal';
`;
