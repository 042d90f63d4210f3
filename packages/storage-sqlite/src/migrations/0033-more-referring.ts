/**
 * Never edit a published migration: databases keep its checksum. It changes nothing: in PostgreSQL, triggers take the place of four
 * more foreign keys. In SQLite they cost little.
 */
export const moreReferringMigration = `
SELECT 1;
`;
