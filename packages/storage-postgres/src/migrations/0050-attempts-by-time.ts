/**
 * Never edit a published migration: databases keep its checksum.
 *
 * Only packages that know fewer than 48 migrations look for attempts by their time, and each attempt pays for the index.
 */
export const attemptsByTimeMigration = "DROP INDEX belfry_delivery_attempts_finished;";
