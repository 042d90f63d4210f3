/** A random epoch of the same form as core's `newEpoch`, made by PostgreSQL: a new one for every row. */
export const NEW_EPOCH = "left(replace(gen_random_uuid()::text, '-', ''), 12)";
