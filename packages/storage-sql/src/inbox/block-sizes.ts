import { COUNTED_ITEMS } from "@belfry/core/storage";

/** How many numbers of an inbox make a block, whose matching items are counted together. */
export const BLOCK_LENGTH = 1_024;

/** An inbox with fewer numbers is walked over each time: that takes a millisecond. So is what an offset below this skips. */
export const COUNTED_FROM = 10_000;

/** An offset that skips less than this part of an inbox is walked over as well, if nothing else needs the counts. */
export const WALKED_PART = 4;

/** A list by priority counts so many of the newest items and a few more, as every other list with a filter does. */
export const LOOKED_AT_MOST = COUNTED_ITEMS;

/** How much memory the counts of all lists may take. */
export const COUNTED_BYTES = 8 * 1024 * 1024;

/** When more blocks than this have changed, all are counted anew. */
export const MAX_CHANGED_BLOCKS = 256;

/** Where counting holds the event loop, it does so for about as long as this, and goes on in another turn. */
export const PART_MS = 8;
