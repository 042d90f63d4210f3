/**
 * Never edit a published migration: databases keep its checksum.
 *
 * It changes no table. Packages that know fewer than 51 migrations take items for active that `removed_up_to_seq` deletes: once the
 * database refuses those packages, the number may be moved.
 */
export const removedAtOnceMigration = "SELECT 1;";
