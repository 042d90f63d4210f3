import { inboxMigration } from "./0001-inbox.ts";

/** Every migration's SQL in order; the first has number 1. Only ever append. */
export const MIGRATIONS: readonly string[] = [inboxMigration];
