/**
 * Never edit a published migration: databases keep its checksum. It changes nothing: in PostgreSQL, triggers take the place of two
 * foreign keys. In SQLite they cost little.
 */
export const referringMigration = `
SELECT 1;
`;
