import { MATCHED_AT_ONCE } from "@belfry/core/storage";

/** Fewer items than this are deleted row by row, which is one step. */
export const REMOVED_AT_LEAST = MATCHED_AT_ONCE;

/** So many items that are not deleted with the others, and so many of these that expire, are looked at within one step. */
export const LOOKED_AT_BESIDE = 1_000;
