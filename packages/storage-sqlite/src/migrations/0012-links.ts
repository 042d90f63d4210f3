/** Never edit a published migration: databases keep its checksum. */
export const linksMigration = `
ALTER TABLE belfry_notifications ADD COLUMN url TEXT;
ALTER TABLE belfry_notifications ADD COLUMN actions TEXT;
`;
